#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <thread>

#include "session/active_operation.h"
#include "session/handle.h"
#include "session/session.h"
#include "session/session_objects.h"

namespace cardea {
namespace {

NewObject data_object(bool is_private) {
  NewObject object;
  object.attributes.set_ulong(CKA_CLASS, CKO_DATA);
  object.attributes.set_bool(CKA_PRIVATE, is_private);
  return object;
}

std::size_t count_objects(const SessionObjects& objects) {
  std::size_t count = 0;
  objects.find(Query{{}, true}, [&](const ObjectPtr&) { ++count; });
  return count;
}

/// A token with nothing on it, whose PIN is "1234".
class EmptyToken final : public Token {
 public:
  TokenDescription describe() override {
    TokenDescription description;
    description.initialized = true;
    return description;
  }
  std::uint64_t generation() override { return 1; }
  Status login(Role, const Pin& pin) override {
    if (text_of(pin.view()) != "1234") return Code::pin_incorrect;
    return {};
  }
  void logout() override { ++logouts; }
  Status authenticate_again(const Pin& pin) override { return login(Role::user, pin); }
  Status find(const Query&, const ObjectSink&) override { return {}; }
  Result<ObjectPtr> object(ObjectId) override { return Code::object_handle_invalid; }
  Result<KeyPtr> key(const Object&) override { return Code::key_handle_invalid; }
  Result<SecretAttributes> secrets(const Object&) override { return SecretAttributes{}; }

  int logouts = 0;
};

class OneSlot final : public TokenSlot {
 public:
  explicit OneSlot(TokenPtr token) : token_(std::move(token)) {}
  std::string key() const override { return "one"; }
  SlotDescription describe() const override { return {}; }
  Result<TokenPtr> token() override { return token_; }

 private:
  TokenPtr token_;
};

struct Bench {
  std::shared_ptr<EmptyToken> token = std::make_shared<EmptyToken>();
  SlotPtr slot = std::make_shared<Slot>(0, std::make_shared<OneSlot>(token));
  // On the heap: a Session stands on cache lines of 64 bytes, and gcc 12 may align stack variables to 32 bytes only
  // where the address sanitizer looks for uses after return (detect_stack_use_after_return=1, as in our tests).
  std::unique_ptr<Session> held = std::make_unique<Session>(1, slot, token, true);
  Session& session = *held;
  Bench() { BOOST_REQUIRE(slot->session_opened(true).ok()); }
};

const Pin right_pin(view_of("1234"));

}  // namespace

BOOST_AUTO_TEST_SUITE(session)

BOOST_AUTO_TEST_CASE(a_handle_says_where_its_object_lives) {
  for (const Residence residence : {Residence::token, Residence::session, Residence::built_in}) {
    const ObjectHandle handle{7, residence, 0x1234567890};
    const auto back = ObjectHandle::unpack(handle.packed());
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST(back->slot == 7u);
    BOOST_TEST((back->residence == residence));
    BOOST_TEST(back->id == 0x1234567890u);
  }
  BOOST_TEST(!ObjectHandle::unpack(CK_INVALID_HANDLE).has_value());
  BOOST_TEST(!ObjectHandle::unpack(~CK_OBJECT_HANDLE{0}).has_value());
  BOOST_TEST(!ObjectHandle::unpack(1).has_value());
}

BOOST_AUTO_TEST_CASE(output_is_delivered_by_the_conventions_of_the_standard) {
  std::optional<SecretBytes> pending;
  int produced = 0;
  const auto produce = [&](MutableBytes out) -> Result<std::size_t> {
    ++produced;
    std::fill_n(out.begin(), 10, Byte{7});
    return 10;
  };
  Byte buffer[16] = {};
  CK_ULONG length = 0;
  // A size query answers the bound and works nothing.
  BOOST_TEST(deliver(OutputBuffer(nullptr, &length), pending, 16, produce).ok());
  BOOST_TEST(length == 16u);
  BOOST_TEST(produced == 0);
  // Too small: the length is told, and the result waits.
  length = 9;
  BOOST_TEST((deliver(OutputBuffer(buffer, &length), pending, 16, produce).code() == Code::buffer_too_small));
  BOOST_TEST(length == 10u);
  BOOST_TEST(produced == 1);
  // Exactly large enough though below the bound: served, from what was produced before.
  length = 10;
  BOOST_TEST(deliver(OutputBuffer(buffer, &length), pending, 16, produce).ok());
  BOOST_TEST(length == 10u);
  BOOST_TEST(buffer[9] == 7);
  BOOST_TEST(buffer[10] == 0);
  BOOST_TEST(produced == 1);
}

BOOST_AUTO_TEST_CASE(gathered_input_grows_up_to_its_limit) {
  GatheredInput gathered;
  const Bytes part(1000, 1);
  for (int i = 0; i < 100; ++i) BOOST_REQUIRE(gathered.append(part).ok());
  BOOST_TEST(gathered.view().size() == 100000u);
  const Bytes huge(64u << 20, 0);
  BOOST_TEST((gathered.append(huge).code() == Code::data_length));
  BOOST_TEST(gathered.view().size() == 100000u);
}

BOOST_AUTO_TEST_CASE(session_objects_go_with_their_session_and_private_ones_with_the_login) {
  SessionObjects objects;
  const auto before = objects.generation();
  const ObjectPtr first = *objects.create(data_object(false), 1);
  BOOST_TEST(objects.create(data_object(true), 1).ok());
  BOOST_TEST(objects.create(data_object(false), 2).ok());
  BOOST_TEST(objects.generation() != before);
  BOOST_TEST(count_objects(objects) == 3u);
  objects.destroy_private();
  BOOST_TEST(count_objects(objects) == 2u);
  objects.destroy_owned_by(1);
  BOOST_TEST(count_objects(objects) == 1u);
  BOOST_TEST((objects.object(first->id).code() == Code::object_handle_invalid));
  BOOST_TEST((objects.destroy(first->id).code() == Code::object_handle_invalid));
}

BOOST_AUTO_TEST_CASE(one_operation_of_a_kind_and_none_while_it_works) {
  Bench bench;
  Session& session = bench.session;
  BOOST_TEST((session.lease(OperationKind::digest).code() == Code::operation_not_initialized));
  BOOST_TEST(session.begin(OperationKind::digest, std::make_unique<ActiveOperation>()).ok());
  BOOST_TEST(
      (session.begin(OperationKind::digest, std::make_unique<ActiveOperation>()).code() == Code::operation_active));
  {
    auto lease = session.lease(OperationKind::digest);
    BOOST_REQUIRE(lease.ok());
    BOOST_TEST((session.lease(OperationKind::digest).code() == Code::operation_active));
    lease->keep();
  }
  BOOST_TEST(session.active(OperationKind::digest));
  {
    auto lease = session.lease(OperationKind::digest);
    lease->keep();
    session.cancel(OperationKind::digest);
  }
  BOOST_TEST(!session.active(OperationKind::digest));
}

BOOST_AUTO_TEST_CASE(a_private_keys_operation_ends_with_the_login) {
  Bench bench;
  BOOST_REQUIRE(bench.slot->login(Role::user, right_pin).ok());
  auto operation = std::make_unique<ActiveOperation>();
  Object key;
  key.attributes.set_bool(CKA_PRIVATE, true);
  operation->key.object = std::make_shared<const Object>(key);
  BOOST_REQUIRE(bench.session.begin(OperationKind::sign, std::move(operation)).ok());
  BOOST_REQUIRE(bench.slot->logout().ok());
  BOOST_TEST((bench.session.lease(OperationKind::sign).code() == Code::user_not_logged_in));
  BOOST_TEST(!bench.session.active(OperationKind::sign));
}

BOOST_AUTO_TEST_CASE(a_key_that_always_authenticates_waits_for_its_own_login) {
  Bench bench;
  BOOST_REQUIRE(bench.slot->login(Role::user, right_pin).ok());
  BOOST_TEST((bench.session.context_login(right_pin).code() == Code::operation_not_initialized));
  const auto begin = [&] {
    auto operation = std::make_unique<ActiveOperation>();
    Object key;
    key.attributes.set_bool(CKA_ALWAYS_AUTHENTICATE, true);
    operation->key.object = std::make_shared<const Object>(key);
    return bench.session.begin(OperationKind::sign, std::move(operation));
  };
  BOOST_REQUIRE(begin().ok());
  BOOST_TEST((bench.session.lease(OperationKind::sign).code() == Code::user_not_logged_in));
  BOOST_REQUIRE(begin().ok());
  BOOST_TEST((bench.session.context_login(Pin(view_of("0000"))).code() == Code::pin_incorrect));
  BOOST_TEST(bench.session.context_login(right_pin).ok());
  BOOST_TEST(bench.session.lease(OperationKind::sign).ok());
}

BOOST_AUTO_TEST_CASE(logins_follow_the_session_rules) {
  Bench bench;
  Slot& slot = *bench.slot;
  BOOST_TEST((slot.logout().code() == Code::user_not_logged_in));
  BOOST_TEST((slot.login(Role::user, Pin(view_of("0000"))).code() == Code::pin_incorrect));
  BOOST_TEST((slot.role() == Role::none));
  BOOST_TEST(slot.login(Role::user, right_pin).ok());
  BOOST_TEST((slot.login(Role::user, right_pin).code() == Code::user_already_logged_in));
  BOOST_TEST((slot.login(Role::security_officer, right_pin).code() == Code::user_another_logged_in));
  BOOST_TEST(slot.logout().ok());
  // The SO and read-only sessions exclude each other, both ways round.
  BOOST_TEST(slot.session_opened(false).ok());
  BOOST_TEST((slot.login(Role::security_officer, right_pin).code() == Code::session_read_only_exists));
  slot.session_closed(false);
  BOOST_TEST(slot.login(Role::security_officer, right_pin).ok());
  BOOST_TEST((slot.session_opened(false).code() == Code::session_read_write_so_exists));
  // The last session out logs out.
  const int before = bench.token->logouts;
  slot.session_closed(true);
  BOOST_TEST((slot.role() == Role::none));
  BOOST_TEST(bench.token->logouts == before + 1);
}

BOOST_AUTO_TEST_CASE(a_login_ends_with_its_token) {
  Bench bench;
  Slot& slot = *bench.slot;
  BOOST_TEST(slot.adopt(bench.token));
  BOOST_TEST(!slot.adopt(bench.token));
  BOOST_REQUIRE(slot.login(Role::user, right_pin).ok());
  slot.end_other_login(bench.token);
  BOOST_TEST((slot.role() == Role::user));
  slot.end_other_login(std::make_shared<EmptyToken>());
  BOOST_TEST((slot.role() == Role::none));
  // The slot has its first token while sessions are on another: that one's PIN is not for it.
  BOOST_TEST(slot.adopt(std::make_shared<EmptyToken>()));
  BOOST_TEST((slot.login(Role::user, right_pin).code() == Code::device_removed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea
