// Attacks on key management interfaces, one row each: what the attacker has, what he asks for, and that he is refused;
// beside them the honest uses that must go on working. Names as in docs/objects.md, "Why a sensitive key cannot leave".
#include "token/wrap_policy.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "token/rules_test_support.h"

namespace cardea {
namespace {

/// A secret key as somebody got it, told by what is special about it.
struct KeyStory {
  std::vector<CK_ATTRIBUTE_TYPE> uses = {};
  bool sensitive = true;
  bool extractable = true;
  bool imported = false;                  ///< by C_CreateObject, so that its value is known outside
  bool trusted = false;                   ///< by the SO
  bool with_trusted_only = false;         ///< CKA_WRAP_WITH_TRUSTED
  CK_ATTRIBUTE_TYPE cleared = CKA_CLASS;  ///< a use taken away later
};

template <class T>
T taken(Result<T> result) {
  BOOST_TEST_REQUIRE(result.ok(), (result.ok() ? std::string{} : describe(result.error())));
  return std::move(*result);
}

Object key_of(const KeyStory& story) {
  TemplateOf attributes = aes_template();
  attributes.flag(CKA_SENSITIVE, story.sensitive).flag(CKA_EXTRACTABLE, story.extractable);
  if (story.trusted) attributes.flag(CKA_PRIVATE, false).flag(CKA_TRUSTED, true);
  if (story.with_trusted_only) attributes.flag(CKA_WRAP_WITH_TRUSTED, true);
  for (const CK_ATTRIBUTE_TYPE use :
       {CKA_WRAP, CKA_UNWRAP, CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_DERIVE}) {
    attributes.flag(use, std::ranges::find(story.uses, use) != story.uses.end());
  }
  if (story.imported) {
    attributes.bytes(CKA_VALUE, key_value().view());
  } else {
    attributes.number(CKA_VALUE_LEN, 32);
  }
  const Actor& actor = story.trusted ? the_so : the_user;
  const Origin origin = story.imported ? Origin::create : Origin::generate;
  NewObject object = taken(new_object(origin, attributes.get(), AttributeSet{}, actor));
  if (!story.imported) object.secrets.insert_or_assign(CKA_VALUE, key_value());
  const Status finished = finish_key(object, origin, KeyFacts{.local = !story.imported, .mechanism = CKM_AES_KEY_GEN});
  BOOST_TEST_REQUIRE(finished.ok());
  Object key{1, std::move(object.attributes)};
  if (story.cleared != CKA_CLASS) {
    key.attributes = taken(changed_attributes(key, TemplateOf{}.flag(story.cleared, false).get(), actor));
  }
  return key;
}

std::string outcome(const Status& status) {
  return status.ok() ? "ok" : std::string(name(status.code()));
}

const KeyStory wrapper{.uses = {CKA_WRAP, CKA_UNWRAP}};
const KeyStory target{.uses = {CKA_ENCRYPT, CKA_DECRYPT}};

struct WrapCase {
  const char* what;
  KeyStory target;
  KeyStory wrapping;
  bool safe;
  const char* expected;
};

BOOST_AUTO_TEST_CASE(wrapping_attacks_fail_and_honest_wrapping_works) {
  const std::vector<WrapCase> cases{
      // honest uses
      {"sensitive key under a wrapping key made here", target, wrapper, true, "ok"},
      {"readable key under any key, any way",
       {.uses = {CKA_SIGN}, .sensitive = false},
       {.uses = {CKA_WRAP, CKA_DECRYPT}, .sensitive = false},
       false,
       "ok"},
      {"sensitive key under an imported key that the SO trusts",
       target,
       {.uses = {CKA_WRAP, CKA_UNWRAP}, .imported = true, .trusted = true},
       true,
       "ok"},
      {"key for trusted wrapping under a trusted key",
       {.uses = {CKA_SIGN}, .with_trusted_only = true},
       {.uses = {CKA_WRAP}, .trusted = true},
       true,
       "ok"},
      {"wrapping key backed up under a trusted key that only wraps",
       wrapper,
       {.uses = {CKA_WRAP}, .trusted = true},
       true,
       "ok"},
      {"sensitive key that may decrypt as well as unwrap", {.uses = {CKA_DECRYPT, CKA_UNWRAP}}, wrapper, true, "ok"},
      // plain rules of the standard
      {"wrapping key without CKA_WRAP", target, {.uses = {CKA_UNWRAP}}, true, "key_function_not_permitted"},
      {"target not extractable", {.uses = {CKA_SIGN}, .extractable = false}, wrapper, true, "key_unextractable"},
      {"CKA_WRAP_WITH_TRUSTED under an untrusted key",
       {.uses = {CKA_SIGN}, .with_trusted_only = true},
       wrapper,
       true,
       "key_not_wrappable"},
      // Clulow 2003, 2.2; Delaune, Kremer, Steel: wrap, then decrypt
      {"wrap and decrypt on one key", target, {.uses = {CKA_WRAP, CKA_DECRYPT}}, true, "key_not_wrappable"},
      {"decrypt given up before wrapping",
       target,
       {.uses = {CKA_WRAP, CKA_DECRYPT}, .cleared = CKA_DECRYPT},
       true,
       "key_not_wrappable"},
      {"wrap and decrypt on a trusted key",
       target,
       {.uses = {CKA_WRAP, CKA_DECRYPT}, .trusted = true},
       true,
       "key_not_wrappable"},
      // the same by the key stream or the block function: encrypt, CMAC, derive by encryption
      {"wrap and encrypt on one key", target, {.uses = {CKA_WRAP, CKA_ENCRYPT}}, true, "key_not_wrappable"},
      {"wrap and sign on one key", target, {.uses = {CKA_WRAP, CKA_SIGN}}, true, "key_not_wrappable"},
      {"wrap and derive on one key", target, {.uses = {CKA_WRAP, CKA_DERIVE}}, true, "key_not_wrappable"},
      // Tookan 2010, "wrapping with a known key"
      {"imported wrapping key", target, {.uses = {CKA_WRAP}, .imported = true}, true, "key_not_wrappable"},
      {"wrapping key that is readable", target, {.uses = {CKA_WRAP}, .sensitive = false}, true, "key_not_wrappable"},
      {"readable key that the SO trusts by mistake",
       target,
       {.uses = {CKA_WRAP}, .sensitive = false, .trusted = true},
       true,
       "key_not_wrappable"},
      // Clulow 2003: ECB and CBC let parts of a key be exchanged, CTR and GCM with a chosen nonce give the key stream
      {"unsafe mechanism for a sensitive key", target, wrapper, false, "key_not_wrappable"},
      {"known key under a carrier by an unsafe mechanism, to learn its block function",
       {.uses = {CKA_SIGN}, .sensitive = false},
       wrapper,
       false,
       "key_not_wrappable"},
      {"known key under a trusted key by an unsafe mechanism",
       {.uses = {CKA_SIGN}, .sensitive = false},
       {.uses = {CKA_WRAP}, .imported = true, .trusted = true},
       false,
       "key_not_wrappable"},
      // Delaune, Kremer, Steel: re-import of a wrapping key with other uses
      {"wrapping key under another wrapping key", wrapper, wrapper, true, "key_not_wrappable"},
      {"unwrapping key under another wrapping key", {.uses = {CKA_UNWRAP}}, wrapper, true, "key_not_wrappable"},
      {"wrapping key whose CKA_WRAP was cleared",
       {.uses = {CKA_WRAP}, .cleared = CKA_WRAP},
       wrapper,
       true,
       "key_not_wrappable"},
      {"wrapping key under a trusted key that also unwraps here",
       wrapper,
       {.uses = {CKA_WRAP, CKA_UNWRAP}, .trusted = true},
       true,
       "key_not_wrappable"},
      {"the same, CKA_UNWRAP cleared meanwhile",
       wrapper,
       {.uses = {CKA_WRAP, CKA_UNWRAP}, .trusted = true, .cleared = CKA_UNWRAP},
       true,
       "key_not_wrappable"}};
  for (const WrapCase& each : cases) {
    BOOST_TEST(outcome(may_wrap(key_of(each.target), key_of(each.wrapping), each.safe, false)) == each.expected,
               each.what);
  }
}

Object rsa_public(bool trusted) {
  TemplateOf attributes = key_template(CKO_PUBLIC_KEY, CKK_RSA);
  attributes.number(CKA_MODULUS_BITS, 2048).flag(CKA_WRAP, true).flag(CKA_TRUSTED, trusted);
  return {
      2, taken(new_object(Origin::generate, attributes.get(), AttributeSet{}, trusted ? the_so : the_user)).attributes};
}

BOOST_AUTO_TEST_CASE(public_keys_carry_sensitive_keys_only_when_trusted_and_opened_elsewhere) {
  const Object sensitive = key_of(target);
  const Object readable = key_of({.uses = {CKA_SIGN}, .sensitive = false});
  BOOST_TEST(outcome(may_wrap(sensitive, rsa_public(true), true, false)) == "ok");
  BOOST_TEST(outcome(may_wrap(sensitive, rsa_public(true), true, true)) == "key_not_wrappable");
  BOOST_TEST(outcome(may_wrap(sensitive, rsa_public(true), false, false)) == "key_not_wrappable");
  // Anyone can import a public key whose private half he has.
  BOOST_TEST(outcome(may_wrap(sensitive, rsa_public(false), true, false)) == "key_not_wrappable");
  BOOST_TEST(outcome(may_wrap(readable, rsa_public(false), false, true)) == "ok");
}

BOOST_AUTO_TEST_CASE(wrap_templates_must_be_met) {
  TemplateOf demanded;
  demanded.number(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
  TemplateOf attributes = aes_template();
  attributes.flag(CKA_WRAP, true).flag(CKA_SENSITIVE, true).nested(CKA_WRAP_TEMPLATE, demanded);
  attributes.number(CKA_VALUE_LEN, 32);
  const Object wrapping{3, taken(generated(attributes)).attributes};
  BOOST_TEST(outcome(may_wrap(key_of(target), wrapping, true, false)) == "key_handle_invalid");
}

struct UseCase {
  const char* what;
  KeyStory key;
  CK_ATTRIBUTE_TYPE use;
  const char* expected;
};

BOOST_AUTO_TEST_CASE(sensitive_secret_keys_get_no_new_use) {
  const std::vector<UseCase> cases{
      {"wrap first, decrypt later", wrapper, CKA_DECRYPT, "attribute_read_only"},
      {"wrap first, encrypt later", wrapper, CKA_ENCRYPT, "attribute_read_only"},
      {"wrap first, sign later", wrapper, CKA_SIGN, "attribute_read_only"},
      {"wrap first, derive later", wrapper, CKA_DERIVE, "attribute_read_only"},
      {"decrypt first, wrap later", target, CKA_WRAP, "attribute_read_only"},
      {"decrypt first, unwrap later", target, CKA_UNWRAP, "attribute_read_only"},
      {"trusted key, readable, gets decrypt",
       {.uses = {CKA_WRAP}, .sensitive = false, .trusted = true},
       CKA_DECRYPT,
       "attribute_read_only"},
      {"a use taken away comes back", {.uses = {CKA_WRAP, CKA_DECRYPT}, .cleared = CKA_DECRYPT}, CKA_DECRYPT, "ok"},
      {"verifying computes nothing for its caller", wrapper, CKA_VERIFY, "ok"},
      {"readable keys are free", {.uses = {CKA_WRAP}, .sensitive = false}, CKA_DECRYPT, "ok"}};
  for (const UseCase& each : cases) {
    const Object key = key_of(each.key);
    const Actor& actor = each.key.trusted ? the_so : the_user;
    TemplateOf change;
    change.flag(each.use, true);
    const auto changed = changed_attributes(key, change.get(), actor);
    BOOST_TEST((changed.ok() ? "ok" : std::string(name(changed.code()))) == each.expected, each.what);
    const auto copied = copied_attributes(key, change.get(), actor);
    BOOST_TEST((copied.ok() ? "ok" : std::string(name(copied.code()))) == each.expected, each.what << " (copy)");
  }
}

BOOST_AUTO_TEST_CASE(a_key_made_sensitive_after_it_could_be_read_carries_nothing) {
  Object key = key_of({.uses = {CKA_WRAP}, .sensitive = false});
  key.attributes = taken(changed_attributes(key, TemplateOf{}.flag(CKA_SENSITIVE, true).get(), the_user));
  BOOST_TEST(outcome(may_wrap(key_of(target), key, true, false)) == "key_not_wrappable");
}

BOOST_AUTO_TEST_CASE(a_key_from_a_password_carries_nothing) {
  TemplateOf attributes = aes_template();
  attributes.number(CKA_VALUE_LEN, 32).flag(CKA_SENSITIVE, true).flag(CKA_WRAP, true);
  NewObject key = taken(new_object(Origin::generate, attributes.get(), AttributeSet{}, the_user));
  key.secrets.insert_or_assign(CKA_VALUE, key_value());
  const KeyFacts facts{.local = true, .mechanism = CKM_PKCS5_PBKD2};
  BOOST_TEST_REQUIRE(finish_key(key, Origin::generate, facts).ok());
  BOOST_TEST(!key.attributes.get_bool(CKA_ALWAYS_SENSITIVE));
  BOOST_TEST(!key.attributes.get_bool(CKA_NEVER_EXTRACTABLE));
  BOOST_TEST(outcome(may_wrap(key_of(target), Object{8, key.attributes}, true, false)) == "key_not_wrappable");
}

BOOST_AUTO_TEST_CASE(copies_remember_uses_and_lose_trust) {
  const Object decrypting = key_of({.uses = {CKA_WRAP, CKA_DECRYPT}});
  const Object copy{4, taken(copied_attributes(decrypting, TemplateOf{}.flag(CKA_DECRYPT, false).get(), the_user))};
  BOOST_TEST(outcome(may_wrap(key_of(target), copy, true, false)) == "key_not_wrappable");

  const Object trusted = key_of({.uses = {CKA_WRAP, CKA_UNWRAP}, .imported = true, .trusted = true});
  const Object untrusted{5, taken(copied_attributes(trusted, {}, the_user))};
  BOOST_TEST(!untrusted.attributes.get_bool(CKA_TRUSTED));
  BOOST_TEST(outcome(may_wrap(key_of(target), untrusted, true, false)) == "key_not_wrappable");
  // What the trusted original has wrapped, its copy still must not open.
  BOOST_TEST(unwraps_only_sensitive(untrusted));
}

BOOST_AUTO_TEST_CASE(what_a_carrier_unwraps_is_sensitive) {
  BOOST_TEST(unwraps_only_sensitive(key_of(wrapper)));
  BOOST_TEST(unwraps_only_sensitive(key_of({.uses = {CKA_WRAP, CKA_UNWRAP}, .cleared = CKA_WRAP})));
  Object once_trusted = key_of({.uses = {CKA_UNWRAP}, .imported = true, .trusted = true});
  BOOST_TEST(unwraps_only_sensitive(once_trusted));
  once_trusted.attributes =
      taken(changed_attributes(once_trusted, TemplateOf{}.flag(CKA_TRUSTED, false).get(), the_so));
  BOOST_TEST(unwraps_only_sensitive(once_trusted));
  BOOST_TEST(!unwraps_only_sensitive(key_of({.uses = {CKA_UNWRAP}, .imported = true})));
  BOOST_TEST(!unwraps_only_sensitive(key_of({.uses = {CKA_WRAP, CKA_UNWRAP, CKA_DECRYPT}})));

  const auto unwrapped = [](const TemplateOf& attributes) {
    NewObject object = taken(new_object(Origin::unwrap, attributes.get(), AttributeSet{}, the_user));
    object.secrets.insert_or_assign(CKA_VALUE, key_value());
    const Status status = finish_key(object, Origin::unwrap, KeyFacts{.must_be_sensitive = true});
    return std::pair(outcome(status), object.attributes.get_bool(CKA_SENSITIVE));
  };
  BOOST_TEST((unwrapped(aes_template()) == std::pair<std::string, bool>("ok", true)));
  BOOST_TEST(unwrapped(std::move(aes_template().flag(CKA_SENSITIVE, false))).first == "template_inconsistent");
}

BOOST_AUTO_TEST_CASE(unwrapping_answers_no_questions_about_plaintexts) {
  // Vaudenay 2002, Bardou et al. 2012: C_UnwrapKey as padding oracle for a key that must not decrypt.
  BOOST_TEST(outcome(may_unwrap(key_of({.uses = {CKA_UNWRAP}, .imported = true}), false)) ==
             "key_function_not_permitted");
  BOOST_TEST(outcome(may_unwrap(key_of(wrapper), false)) == "key_function_not_permitted");
  BOOST_TEST(outcome(may_unwrap(key_of(wrapper), true)) == "ok");
  BOOST_TEST(outcome(may_unwrap(key_of({.uses = {CKA_UNWRAP, CKA_DECRYPT}}), false)) == "ok");
  BOOST_TEST(outcome(may_unwrap(key_of({.uses = {CKA_UNWRAP}, .sensitive = false}), false)) == "ok");
  BOOST_TEST(outcome(may_unwrap(key_of(target), true)) == "key_function_not_permitted");
}

struct DerivationCase {
  const char* what;
  KeyStory base;
  CK_MECHANISM_TYPE mechanism;
  std::size_t derived_size;
  std::optional<bool> sensitive;  ///< as the template says
  std::optional<bool> extractable;
  const char* expected;
};

BOOST_AUTO_TEST_CASE(derivation_lowers_no_protection) {
  const KeyStory base{.uses = {CKA_DERIVE}};
  const KeyStory kept{.uses = {CKA_DERIVE}, .extractable = false};
  const KeyStory readable{.uses = {CKA_DERIVE}, .sensitive = false};
  const std::vector<DerivationCase> cases{
      {"sensitive from sensitive", base, CKM_HKDF_DERIVE, 32, {}, {}, "ok"},
      {"readable from sensitive", base, CKM_HKDF_DERIVE, 32, false, {}, "template_inconsistent"},
      {"extractable from what is not", kept, CKM_HKDF_DERIVE, 32, {}, true, "template_inconsistent"},
      {"extractable from extractable", base, CKM_HKDF_DERIVE, 32, {}, true, "ok"},
      // Clulow 2003, 2.3, reduced key space: bytes of the result are found by trial
      {"a short key by HKDF", base, CKM_HKDF_DERIVE, 16, {}, {}, "ok"},
      {"too short a key", base, CKM_HKDF_DERIVE, 8, {}, {}, "template_inconsistent"},
      {"half of the base by XOR with short data", base, CKM_XOR_BASE_AND_DATA, 16, {}, {}, "template_inconsistent"},
      {"known data and the first byte of the base",
       base,
       CKM_CONCATENATE_DATA_AND_BASE,
       16,
       {},
       {},
       "template_inconsistent"},
      {"a window of the base", base, CKM_EXTRACT_KEY_FROM_KEY, 16, {}, {}, "template_inconsistent"},
      {"a window of what is not extractable",
       {.uses = {CKA_DERIVE}, .sensitive = false, .extractable = false},
       CKM_EXTRACT_KEY_FROM_KEY,
       16,
       {},
       {},
       "template_inconsistent"},
      {"the whole base", base, CKM_XOR_BASE_AND_DATA, 32, {}, {}, "ok"},
      {"anything from a readable key", readable, CKM_EXTRACT_KEY_FROM_KEY, 1, false, true, "ok"}};
  for (const DerivationCase& each : cases) {
    TemplateOf attributes = key_template(CKO_SECRET_KEY, CKK_GENERIC_SECRET);
    if (each.sensitive) attributes.flag(CKA_SENSITIVE, *each.sensitive);
    if (each.extractable) attributes.flag(CKA_EXTRACTABLE, *each.extractable);
    NewObject derived = taken(new_object(Origin::derive, attributes.get(), AttributeSet{}, the_user));
    derived.secrets.insert_or_assign(CKA_VALUE, key_value(each.derived_size));
    const KeyFacts facts = derived_facts(each.mechanism, key_of(each.base));
    BOOST_TEST(outcome(finish_key(derived, Origin::derive, facts)) == each.expected, each.what);
  }
}

BOOST_AUTO_TEST_CASE(only_what_can_be_a_secret_comes_out_of_a_derivation_or_is_unwrapped) {
  const auto answer = [](Origin origin, CK_OBJECT_CLASS object_class) {
    TemplateOf attributes;
    attributes.number(CKA_CLASS, object_class);
    if (object_class == CKO_CERTIFICATE) {
      attributes.number(CKA_CERTIFICATE_TYPE, CKC_X_509);
    } else if (object_class != CKO_DATA) {
      attributes.number(CKA_KEY_TYPE, object_class == CKO_SECRET_KEY ? CKK_GENERIC_SECRET : CKK_RSA);
    }
    const auto made = new_object(origin, attributes.get(), AttributeSet{}, the_user);
    return made ? std::string("ok") : std::string(name(made.code()));
  };
  // A certificate's and a public key's CKA_VALUE are there to be read.
  for (const CK_OBJECT_CLASS readable : {CKO_CERTIFICATE, CKO_PUBLIC_KEY}) {
    BOOST_TEST(answer(Origin::derive, readable) == "template_inconsistent");
    BOOST_TEST(answer(Origin::unwrap, readable) == "template_inconsistent");
  }
  BOOST_TEST(answer(Origin::derive, CKO_PRIVATE_KEY) == "template_inconsistent");
  BOOST_TEST(answer(Origin::unwrap, CKO_DATA) == "template_inconsistent");
  BOOST_TEST(answer(Origin::unwrap, CKO_PRIVATE_KEY) == "ok");
  for (const Origin origin : {Origin::derive, Origin::unwrap}) BOOST_TEST(answer(origin, CKO_SECRET_KEY) == "ok");
  BOOST_TEST(answer(Origin::derive, CKO_DATA) == "ok");
}

BOOST_AUTO_TEST_CASE(derived_keys_inherit_from_all_sources_and_carry_nothing) {
  KeyFacts facts = derived_facts(CKM_CONCATENATE_BASE_AND_KEY, key_of({.uses = {CKA_DERIVE}, .sensitive = false}));
  BOOST_TEST(!facts.sources_sensitive);
  add_source(facts, key_of({.uses = {CKA_DERIVE}, .extractable = false}));
  TemplateOf attributes = aes_template();
  attributes.flag(CKA_WRAP, true).flag(CKA_DERIVE, false);
  NewObject derived = taken(new_object(Origin::derive, attributes.get(), AttributeSet{}, the_user));
  derived.secrets.insert_or_assign(CKA_VALUE, key_value());
  BOOST_TEST_REQUIRE(finish_key(derived, Origin::derive, facts).ok());
  BOOST_TEST(derived.attributes.get_bool(CKA_SENSITIVE));
  BOOST_TEST(!derived.attributes.get_bool(CKA_EXTRACTABLE));
  BOOST_TEST(!derived.attributes.get_bool(CKA_ALWAYS_SENSITIVE));
  BOOST_TEST(!derived.attributes.get_bool(CKA_LOCAL));
  // The same value can be derived again for decrypting, so derived keys never carry sensitive ones.
  BOOST_TEST(outcome(may_wrap(key_of(target), Object{6, derived.attributes}, true, false)) == "key_not_wrappable");
}

BOOST_AUTO_TEST_CASE(a_key_that_its_caller_could_compute_does_not_call_itself_always_sensitive) {
  BOOST_TEST(derived_facts(CKM_HKDF_DERIVE, key_of({.uses = {CKA_DERIVE}})).sources_always_sensitive);
  for (const CK_ATTRIBUTE_TYPE computing : {CKA_SIGN, CKA_ENCRYPT, CKA_DECRYPT}) {
    const KeyFacts facts = derived_facts(CKM_HKDF_DERIVE, key_of({.uses = {CKA_DERIVE, computing}}));
    BOOST_TEST(!facts.sources_always_sensitive);
    BOOST_TEST(!facts.sources_never_extractable);
  }
}

BOOST_AUTO_TEST_CASE(data_derived_from_a_sensitive_key_is_refused) {
  // CKM_HKDF_DATA gives the bytes that CKM_HKDF_DERIVE gives, in an object anyone reads.
  TemplateOf attributes;
  attributes.number(CKA_CLASS, CKO_DATA);
  NewObject derived = taken(new_object(Origin::derive, attributes.get(), AttributeSet{}, the_user));
  const auto finished = [&](bool sensitive) {
    const Object base = key_of({.uses = {CKA_DERIVE}, .sensitive = sensitive});
    return outcome(finish_key(derived, Origin::derive, derived_facts(CKM_HKDF_DATA, base)));
  };
  BOOST_TEST(finished(true) == "template_inconsistent");
  BOOST_TEST(finished(false) == "ok");
}

BOOST_AUTO_TEST_CASE(shared_secrets_of_key_agreement_are_as_the_template_says) {
  const Object private_key{
      7, taken(new_object(Origin::generate, key_template(CKO_PRIVATE_KEY, CKK_EC).get(), AttributeSet{}, the_user))
             .attributes};
  TemplateOf attributes = key_template(CKO_SECRET_KEY, CKK_GENERIC_SECRET);
  attributes.flag(CKA_SENSITIVE, false).flag(CKA_EXTRACTABLE, true);
  NewObject shared = taken(new_object(Origin::derive, attributes.get(), AttributeSet{}, the_user));
  shared.secrets.insert_or_assign(CKA_VALUE, key_value());
  BOOST_TEST(outcome(finish_key(shared, Origin::derive, derived_facts(CKM_ECDH1_DERIVE, private_key))) == "ok");
}

}  // namespace
}  // namespace cardea
