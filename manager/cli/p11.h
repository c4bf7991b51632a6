// The PKCS#11 client under the names that this folder uses.
#pragma once

#include "p11client/failure.h"
#include "p11client/findings.h"
#include "p11client/keystore.h"
#include "p11client/module.h"
#include "p11client/printable.h"
#include "p11client/seals.h"
#include "p11client/session.h"
#include "p11client/template.h"
#include "p11client/tpm_cards.h"
#include "p11client/uri.h"

namespace cardea::cli {

using namespace p11client;

}  // namespace cardea::cli
