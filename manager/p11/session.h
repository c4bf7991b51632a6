// A session on one token: objects, attributes and operations, each failure as a sentence.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/secret.h"
#include "p11client/module.h"
#include "p11client/template.h"

namespace cardea::p11client {

/// A mechanism with a copy of its parameter. What the parameter points to stays the caller's.
class Mechanism {
 public:
  explicit Mechanism(CK_MECHANISM_TYPE type) : type_(type) {}
  Mechanism(CK_MECHANISM_TYPE type, ByteView parameter) : type_(type), parameter_(to_bytes(parameter)) {}

  CK_MECHANISM_TYPE type() const { return type_; }
  /// The C form; valid while this object lives unchanged.
  CK_MECHANISM raw() {
    return {type_, parameter_.empty() ? nullptr : parameter_.data(), static_cast<CK_ULONG>(parameter_.size())};
  }

 private:
  CK_MECHANISM_TYPE type_;
  Bytes parameter_;
};

/// Delivers the next part of an input; empty at its end.
using Input = std::function<Result<ByteView>()>;

class Session {
 public:
  static Result<Session> open(const Module& module, const TokenInfo& token, bool read_write);
  Session(Session&& other) noexcept;
  Session& operator=(Session&&) = delete;
  ~Session();

  const Module& module() const { return *module_; }
  const TokenInfo& token() const { return token_; }
  CK_SESSION_HANDLE handle() const { return handle_; }
  /// The token's description as it is now: flags change with PIN tries.
  Result<TokenInfo> token_now() const { return module_->token(token_.slot); }

  /// The CK_RV of C_Login; a null PIN lets the token ask by itself (protected authentication path).
  CK_RV login(CK_USER_TYPE user, const Pin* pin) const;

  Result<std::vector<CK_OBJECT_HANDLE>> find(Template& wanted) const;
  /// An attribute's value; absent when the object has none, an empty one, or does not reveal it.
  std::optional<Bytes> attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;
  /// The value as text that is safe to show; empty when absent.
  std::string text(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;
  std::optional<CK_ULONG> number(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;
  bool flag(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;

  Status create(Template& attributes, std::string_view what) const;
  Status destroy(CK_OBJECT_HANDLE object) const;
  Result<Bytes> random(std::size_t size) const;

  /// Signs the input; `multi_part` feeds it piece by piece, otherwise it is read as a whole first.
  Result<Bytes> sign(Mechanism mechanism, CK_OBJECT_HANDLE key, const Input& input, bool multi_part) const;
  /// signature_invalid when the signature does not match.
  Status verify(Mechanism mechanism, CK_OBJECT_HANDLE key, const Input& input, ByteView signature,
                bool multi_part) const;
  Result<Bytes> encrypt(Mechanism mechanism, CK_OBJECT_HANDLE key, ByteView data) const;
  Result<SecretBytes> decrypt(Mechanism mechanism, CK_OBJECT_HANDLE key, ByteView data) const;

  /// Called before each operation of a key with CKA_ALWAYS_AUTHENTICATE: logs in once more for this operation.
  void on_context_login(std::function<Status(const Session&)> ask) { context_login_ = std::move(ask); }

 private:
  Session(const Module& module, TokenInfo token, CK_SESSION_HANDLE handle)
      : module_(&module), token_(std::move(token)), handle_(handle) {}
  Status authenticate_if_asked(CK_OBJECT_HANDLE key) const;

  const Module* module_;
  TokenInfo token_;
  CK_SESSION_HANDLE handle_;
  std::function<Status(const Session&)> context_login_;
};

/// An input that delivers these bytes once.
Input input_of(ByteView bytes);
/// The whole input in one piece, for mechanisms that take it so; data_length in words beyond 1 GiB.
Result<Bytes> read_all(const Input& input);

}  // namespace cardea::p11client
