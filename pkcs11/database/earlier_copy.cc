#include "database/earlier_copy.h"

#include <link.h>

#include <cstdint>
#include <string_view>

namespace cardea::database {
namespace {

constexpr std::string_view module_name = "libcardea-pkcs11";

bool contains(const dl_phdr_info& object, std::uintptr_t address) {
  for (int i = 0; i < object.dlpi_phnum; ++i) {
    const auto& segment = object.dlpi_phdr[i];
    const std::uintptr_t begin = object.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && address >= begin && address - begin < segment.p_memsz) return true;
  }
  return false;
}

int look(dl_phdr_info* object, std::size_t, void* found) {
  const std::string_view path = object->dlpi_name;
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (!name.starts_with(module_name)) return 0;
  // Objects come in the order in which they were loaded.
  const bool own = contains(*object, reinterpret_cast<std::uintptr_t>(&look));
  if (!own) *static_cast<std::string*>(found) = path;
  return 1;
}

}  // namespace

std::string earlier_copy() {
  std::string path;
  dl_iterate_phdr(look, &path);
  return path;
}

}  // namespace cardea::database
