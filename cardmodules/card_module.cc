#include "cardmodules/card_module.h"

namespace cardea::card {

Result<std::size_t> CardAdministrator::import_all(CardTransaction& transaction, std::span<const KeyToImport> keys) {
  std::size_t written = 0;
  for (const KeyToImport& key : keys) {
    Status done = import_key(transaction, key.place, *key.pkcs8, {});
    if (done) done = write_certificate(transaction, key.place, key.certificate);
    if (!done && done.code() == Code::device_memory) {
      // A key without its certificate is of no use, and takes the space of others.
      (void)delete_key(transaction, key.place);
      return written;
    }
    if (!done) return std::move(done).error();
    ++written;
  }
  return written;
}

}  // namespace cardea::card
