// The parts of the check of mechanisms.
#pragma once

#include "conformance/recipe.h"

namespace cardea::conformance {

/// One mechanism under trial.
struct Trial {
  Context& context;
  KeyRing& ring;
  const Recipe& recipe;
  const CK_MECHANISM_INFO& info;
  std::size_t key_size;  ///< bytes of a secret key; 0: the usual size

  const p11::Session& session() const { return ring.session(); }
  const p11::Module& module() const { return ring.session().module(); }
};

void try_generate(const Trial& trial);
void try_generate_pair(const Trial& trial);
void try_wrap(const Trial& trial);
void try_derive(const Trial& trial);
void try_encapsulate(const Trial& trial);

}  // namespace cardea::conformance
