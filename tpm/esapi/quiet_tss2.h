// Keeps tpm2-tss from writing to the host's stderr. Internal to this folder.
#pragma once

namespace cardea::tpm {

/// Puts TSS2_LOG=all+NONE into the environment, unless the variable is there.
///
/// tpm2-tss, up to 4.x at least, writes every refusal of a TPM, a wrong PIN for one, to stderr. Each of its source
/// files asks getenv("TSS2_LOG") when it has first something to say, and there is no call that stops it; TSS2_LOGFILE
/// would send the lines elsewhere only where that was compiled in. So the environment it must be, but not by setenv,
/// which may free the array of a variable that the host has set while another thread of the host reads it. Here the
/// host gets a longer copy of the array, and the old one stays as it is. Programs that the host starts inherit the
/// variable.
void quiet_tss2() noexcept;

}  // namespace cardea::tpm
