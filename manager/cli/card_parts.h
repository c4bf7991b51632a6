// The parts of `cardea card` that have files of their own.
#pragma once

#include "cli/command.h"

namespace cardea::cli {

/// card record, card replay.
void add_card_recording_commands(const Command& card_group, Context& context);

/// card init.
void add_card_init_command(const Command& card_group, Context& context);

/// card pin, card puk, card admin-key.
void add_card_pin_commands(const Command& card_group, Context& context);

/// card key, card cert.
void add_card_key_commands(const Command& card_group, Context& context);

}  // namespace cardea::cli
