// Which thread is asking, for structures that keep a part for each of several threads.
#pragma once

namespace cardea {

/// A small number that belongs to the calling thread while it lives: threads that start one after the other get
/// neighbouring numbers, so that taken modulo a few parts they spread evenly.
unsigned thread_number() noexcept;

}  // namespace cardea
