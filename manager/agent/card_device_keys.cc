// Keys and certificates of cards.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/card_device.h"
#include "agent/container_names.h"
#include "agent/key_use.h"
#include "crypto/digest.h"
#include "crypto/key_encoding.h"
#include "mechanism/rsa_padding.h"
#include "piv/key_references.h"

namespace cardea::agent {
namespace {

using card::Container;
using card::ContainerPlace;

card::KeyRequest request_of(const KeySpec& spec) {
  card::KeyRequest request{.algorithm = spec.algorithm, .bits = spec.bits};
  if (spec.pin_policy == "never") request.pin = card::PinPolicy::never;
  if (spec.pin_policy == "once") request.pin = card::PinPolicy::once;
  if (spec.pin_policy == "always") request.pin = card::PinPolicy::always;
  if (spec.touch_policy == "never") request.touch = card::TouchPolicy::never;
  if (spec.touch_policy == "always") request.touch = card::TouchPolicy::always;
  if (spec.touch_policy == "cached") request.touch = card::TouchPolicy::cached;
  return request;
}

bool can(const Container& container, Primitive primitive) {
  return (container.primitives & static_cast<Primitives>(primitive)) != 0;
}

/// What the card is asked for, and over which bytes.
struct CardSignature {
  PrimitiveRequest request;
  Bytes input;
};

Result<CardSignature> rsa_signature(const Container& container, Hash hash, ByteView data, std::size_t modulus_size) {
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(hash, data));
  std::array<Byte, digest_info_limit> buffer{};
  CARDEA_ASSIGN(const ByteView info, digest_info(hash, digest, buffer));
  if (can(container, Primitive::rsa_pkcs1_sign)) {
    return CardSignature{{.primitive = Primitive::rsa_pkcs1_sign, .hash = hash}, to_bytes(info)};
  }
  CardSignature raw{{.primitive = Primitive::rsa_raw}, Bytes(modulus_size)};
  CARDEA_TRY(pad_pkcs1_signature(info, raw.input));
  return raw;
}

}  // namespace

Result<CardDevice::Spot> CardDevice::spot(Work& work, const std::string& container) {
  if (is_piv()) {
    const std::optional<std::uint32_t> reference = piv_reference(container);
    if (!reference) return error(Code::arguments_bad, fmt::format("PIV has no place '{}' for a key", container));
    Spot found{*card::piv::place_of(*reference), {}};
    CARDEA_ASSIGN(found.held, module_->read_container(work.transaction, found.place));
    return found;
  }
  CARDEA_ASSIGN(const std::vector<ContainerPlace> places, module_->places(work.transaction));
  for (const ContainerPlace& place : places) {
    if (place.label != container) continue;
    Spot found{place, {}};
    CARDEA_ASSIGN(found.held, module_->read_container(work.transaction, place));
    return found;
  }
  const auto free = std::ranges::find_if(places, [](const ContainerPlace& place) { return place.label.empty(); });
  if (free == places.end()) return error(Code::device_memory, "all places for keys on the card are taken");
  Spot found{*free, {}};
  found.place.label = container;
  return found;
}

Result<Container> CardDevice::key_in(Work& work, const std::string& container) {
  CARDEA_ASSIGN(Spot found, spot(work, container));
  if (found.held && !found.held->public_key.empty()) return std::move(*found.held);
  return error(Code::not_found, fmt::format("there is no key in the place '{}' that the card tells of", container));
}

Result<std::vector<CardDevice::Spot>> CardDevice::spots(Work& work) {
  CARDEA_ASSIGN(const std::vector<ContainerPlace> places, module_->places(work.transaction));
  std::vector<Spot> all;
  for (const ContainerPlace& place : places) {
    Spot& spot = all.emplace_back(Spot{place, {}});
    Result<std::optional<Container>> held = module_->read_container(work.transaction, place);
    // What does not parse is replaced sooner or later; it must not hide the rest.
    if (!held && held.code() != Code::data_invalid) return std::move(held).error();
    if (held) spot.held = std::move(*held);
  }
  return all;
}

Result<Bytes> CardDevice::generate(Authority& authority, const std::string& container, const KeySpec& spec,
                                   ByteView replace) {
  Bytes key_info;
  CARDEA_TRY(as_writer(authority, [&](Work& work) -> Status {
    CARDEA_ASSIGN(Spot target, spot(work, container));
    if (target.held) {
      CARDEA_TRY(allow_replacing(container, target.held->public_key, target.held->certificate, replace));
    }
    CARDEA_ASSIGN(key_info, work.administrator->generate(work.transaction, target.place, request_of(spec)));
    return {};
  }));
  return key_info;
}

Result<KeySignature> CardDevice::sign_with(Work& work, const Container& container, Hash hash, ByteView data) {
  CARDEA_ASSIGN(const SignaturePlan plan, plan_signature(container.public_key, hash));
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_subject_public_key_info(container.public_key));
  CardSignature question;
  if (plan.algorithm == crypto::KeyAlgorithm::rsa) {
    CARDEA_ASSIGN(question, rsa_signature(container, plan.hash, data, key->output_size()));
  } else if (plan.hash != Hash::none) {
    CARDEA_ASSIGN(question.input, crypto::digest(plan.hash, data));
    question.request.primitive = Primitive::ecdsa_sign;
  } else {
    question.input = to_bytes(data);
    question.request.primitive = Primitive::eddsa_sign;
  }
  KeySignature result{Bytes(key->output_size()), plan.mechanism};
  CARDEA_ASSIGN(const std::size_t size,
                module_->perform(work.transaction, container, question.request, question.input, result.signature));
  result.signature.resize(size);
  if (key->facts().family == crypto::KeyFamily::ec) result.signature = ecdsa_value(result.signature);
  return result;
}

Result<Bytes> CardDevice::public_key(const std::string& container) {
  CARDEA_ASSIGN(Work work, begin());
  CARDEA_ASSIGN(Container found, key_in(work, container));
  return std::move(found.public_key);
}

Result<KeySignature> CardDevice::sign(Authority& authority, const std::string& container, Hash hash, ByteView data) {
  Container key;
  {
    // Read before the PIN is shown: a key that asks for it each time allows no command in between.
    CARDEA_ASSIGN(Work work, begin());
    CARDEA_ASSIGN(key, key_in(work, container));
  }
  KeySignature signature;
  CARDEA_TRY(as_user(authority, [&](Work& work) -> Status {
    CARDEA_ASSIGN(signature, sign_with(work, key, hash, data));
    return {};
  }));
  return signature;
}

Result<Bytes> CardDevice::write_certificate(Authority& authority, const std::string& container, ByteView certificate) {
  CARDEA_ASSIGN(const Bytes key_info, certified_key(certificate));
  {
    CARDEA_ASSIGN(Work work, begin());
    CARDEA_ASSIGN(const Spot found, spot(work, container));
    if (found.held && same_bytes(found.held->certificate, certificate)) return found.held->certificate;
  }
  Bytes read_back;
  CARDEA_TRY(as_writer(authority, [&](Work& work) -> Status {
    CARDEA_ASSIGN(const Spot target, spot(work, container));
    // Cards without metadata do not tell the key before its certificate is there.
    if (target.held && !target.held->public_key.empty() && target.held->public_key != key_info) {
      return error(Code::key_type_inconsistent, "the certificate is for another key than that on the card");
    }
    CARDEA_TRY(work.administrator->write_certificate(work.transaction, target.place, certificate));
    CARDEA_ASSIGN(const std::optional<Container> now, module_->read_container(work.transaction, target.place));
    if (!now || !same_bytes(now->certificate, certificate)) {
      return error(Code::device_error, "the certificate reads back otherwise than it was written");
    }
    read_back = now->certificate;
    return {};
  }));
  return read_back;
}

Result<bool> CardDevice::import_key(Authority& authority, const std::string& container, const SecretBytes& pkcs8,
                                    ByteView replace) {
  CARDEA_ASSIGN(const Bytes key_info, public_half(pkcs8));
  bool was_there = false;
  CARDEA_TRY(as_writer(authority, [&](Work& work) -> Status {
    CARDEA_ASSIGN(const Spot target, spot(work, container));
    was_there = target.held && target.held->has_key && target.held->public_key == key_info;
    if (was_there) return {};
    if (target.held) {
      CARDEA_TRY(allow_replacing(container, target.held->public_key, target.held->certificate, replace));
    }
    return work.administrator->import_key(work.transaction, target.place, pkcs8, {});
  }));
  return was_there;
}

Result<std::vector<ContainerPlace>> CardDevice::free_places(Work& work, const std::vector<Spot>& known,
                                                            std::size_t wanted) {
  std::vector<ContainerPlace> free;
  if (!is_piv()) {
    for (const Spot& spot : known) {
      if (free.size() < wanted && !spot.held && spot.place.label.empty()) free.push_back(spot.place);
    }
    return free;
  }
  for (std::uint32_t reference = card::piv::key_retired_first;
       reference <= card::piv::key_retired_last && free.size() < wanted; ++reference) {
    const bool taken =
        std::ranges::any_of(known, [&](const Spot& spot) { return spot.held && spot.place.index == reference; });
    if (taken) continue;
    const ContainerPlace place = *card::piv::place_of(reference);
    // Other tools fill retired places without entering them in the key history.
    CARDEA_ASSIGN(const bool is_free, module_->is_free(work.transaction, place));
    if (is_free) free.push_back(place);
  }
  return free;
}

Result<HistoryReport> CardDevice::write_history(Authority& authority, std::span<const ArchivedKey> newest_first,
                                                const std::string& leaving) {
  std::vector<Bytes> public_keys;
  for (const ArchivedKey& key : newest_first) {
    CARDEA_ASSIGN(const Bytes certified, certified_key(key.certificate));
    CARDEA_ASSIGN(const Bytes own, public_half(key.pkcs8));
    if (own != certified) return error(Code::key_type_inconsistent, "a key of the history is not its certificate's");
    public_keys.push_back(own);
  }
  HistoryReport report;
  CARDEA_TRY(as_writer(authority, [&](Work& work) -> Status {
    report = {};
    CARDEA_ASSIGN(const std::vector<Spot> known, spots(work));
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < public_keys.size(); ++i) {
      const bool there = std::ranges::any_of(known, [&](const Spot& spot) {
        return spot.held && spot.held->public_key == public_keys[i] && !spot.held->certificate.empty() &&
               (leaving.empty() || container_name(spot.place) != leaving);
      });
      (there ? report.present : missing).push_back(i);
    }
    CARDEA_ASSIGN(const std::vector<ContainerPlace> free, free_places(work, known, missing.size()));
    std::vector<card::KeyToImport> keys;
    for (std::size_t i = 0; i < free.size(); ++i) {
      const ArchivedKey& key = newest_first[missing[i]];
      keys.push_back({free[i], &key.pkcs8, key.certificate});
      if (!is_piv()) keys.back().place.label = retired_name(free[i].index + 1);
    }
    CARDEA_ASSIGN(const std::size_t written, work.administrator->import_all(work.transaction, keys));
    for (std::size_t i = 0; i < missing.size(); ++i) {
      (i < written ? report.written : report.left_out).push_back(missing[i]);
    }
    return {};
  }));
  return report;
}

Status CardDevice::remove(Authority& authority, const std::string& container) {
  return as_writer(authority, [&](Work& work) -> Status {
    CARDEA_ASSIGN(const Spot target, spot(work, container));
    if (!target.held) return {};
    const Status deleted = work.administrator->delete_key(work.transaction, target.place);
    if (deleted && !is_piv()) return {};  // the certificate went along
    if (!deleted && deleted.code() != Code::not_found) return deleted;
    return work.administrator->write_certificate(work.transaction, target.place, {});
  });
}

Result<KeyStatement> CardDevice::attest(Authority&, const std::string& container, ByteView) {
  CARDEA_ASSIGN(Work work, begin());
  CARDEA_ASSIGN(const Spot target, spot(work, container));
  KeyStatement statement;
  std::vector<Bytes>& chain = statement.certificates;
  chain.resize(1);
  CARDEA_ASSIGN(chain.front(), work.administrator->attest(work.transaction, target.place));
  ContainerPlace attesting;
  attesting.index = card::piv::key_attestation;
  CARDEA_ASSIGN(Bytes above, work.administrator->attest(work.transaction, attesting));
  chain.push_back(std::move(above));
  return statement;
}

Result<SecretBytes> CardDevice::answer_attestation(ByteView) {
  return error(Code::function_not_supported, "cards are asked nothing about what they attest");
}

}  // namespace cardea::agent
