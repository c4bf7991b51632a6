#!/usr/bin/env bash
# OpenSSH: keys listed by ssh-keygen -D, a login to a real sshd with a key on the token, directly and through ssh-agent.
. "$(dirname "$0")/lib.sh"
begin ssh ssh-keygen ssh-agent ssh-add
sshd=$(command -v sshd || { [ -x /usr/sbin/sshd ] && echo /usr/sbin/sshd; } || true)
[ -n "$sshd" ] || skip "sshd is not installed (./install-packages tests)"
new_identities

# Answers the PIN where ssh and ssh-add ask for it without a terminal.
cat >"$work/askpass" <<ANSWER
#!/bin/sh
echo $pin
ANSWER
chmod 700 "$work/askpass"
export SSH_ASKPASS=$work/askpass SSH_ASKPASS_REQUIRE=force
# Paths of modules outside the system folders need leave.
helper_paths="$(dirname "$(readlink -f "$module")")/*"

list_keys() {
  with_timeout 60 ssh-keygen -D "$module" >"$work/keys" 2>"$work/keygen.log" </dev/null || fail "ssh-keygen -D"
  grep -q '^ssh-rsa ' "$work/keys" || fail "ssh-keygen -D shows no RSA key"
  grep -q '^ecdsa-sha2-nistp256 ' "$work/keys" || fail "ssh-keygen -D shows no P-256 key"
  pass "ssh-keygen -D lists the token's keys"
}

start_sshd() {
  mkdir -p "$work/sshd"
  chmod 700 "$work/sshd"
  ssh-keygen -q -t ed25519 -N '' -f "$work/sshd/host" </dev/null
  cut -d' ' -f1,2 "$work/keys" >"$work/sshd/authorized_keys"
  # Root's sshd separates privileges in this folder, which the system service makes at boot.
  [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
  cat >"$work/sshd/template" <<SETTINGS
ListenAddress 127.0.0.1:@PORT@
HostKey $work/sshd/host
AuthorizedKeysFile $work/sshd/authorized_keys
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
SETTINGS
  cat >"$work/sshd/start" <<'START'
sed "s/@PORT@/$3/" "$2/template" >"$2/config"
exec "$1" -D -e -f "$2/config"
START
  serve sshd bash "$work/sshd/start" "$sshd" "$work/sshd" @PORT@
  printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 "$work/sshd/host.pub")" >"$work/known_hosts"
}

login() {
  with_timeout 60 ssh -F none -p "$port" -l "$(id -un)" -o UserKnownHostsFile="$work/known_hosts" \
    -o StrictHostKeyChecking=yes -o PreferredAuthentications=publickey "$@" 127.0.0.1 'echo "in $((6 * 7))"' \
    >"$work/login.out" 2>"$work/login.log" </dev/null
}

test_direct_login() {
  local type
  for type in rsa-sha2-256 rsa-sha2-512 ecdsa-sha2-nistp256; do
    login -o PubkeyAcceptedAlgorithms="$type" -o IdentityAgent=none -I "$module" || fail "ssh -I with $type"
    grep -qx 'in 42' "$work/login.out" || fail "no command ran after ssh -I with $type"
    pass "ssh -I with $type"
  done
}

test_agent() {
  local agent type
  timeout --kill-after=5 250 ssh-agent -D -a "$work/agent" -P "$helper_paths" >"$work/agent.log" 2>&1 </dev/null &
  agent=$!
  daemons+=("$agent")
  for _ in {1..50}; do [ -S "$work/agent" ] && break; sleep 0.1; done
  export SSH_AUTH_SOCK=$work/agent
  # "Card added" also follows an empty token, so the agent's list decides.
  with_timeout 60 ssh-add -s "$(readlink -f "$module")" >"$work/add.log" 2>&1 </dev/null || fail "ssh-add -s"
  [ "$(ssh-add -L | grep -cE '^(ssh-rsa|ecdsa-sha2-nistp256) ')" -ge 2 ] || fail "the agent does not hold both keys"
  pass "ssh-add -s with the PIN from SSH_ASKPASS"
  for type in rsa-sha2-512 ecdsa-sha2-nistp256; do
    login -o PubkeyAcceptedAlgorithms="$type" || fail "ssh through the agent with $type"
    grep -qx 'in 42' "$work/login.out" || fail "no command ran through the agent with $type"
    pass "ssh through ssh-agent with $type"
  done
  printf 'signed by an SSH key\n' >"$work/text"
  grep '^ecdsa' "$work/keys" >"$work/ec.pub"
  with_timeout 60 ssh-keygen -q -Y sign -n file -f "$work/ec.pub" "$work/text" >"$work/sign.log" 2>&1 </dev/null ||
    fail "ssh-keygen -Y sign through the agent"
  printf 'me %s\n' "$(cut -d' ' -f1,2 "$work/ec.pub")" >"$work/signers"
  with_timeout 60 ssh-keygen -q -Y verify -f "$work/signers" -I me -n file -s "$work/text.sig" <"$work/text" \
    >"$work/sign.log" 2>&1 || fail "ssh-keygen -Y verify"
  pass "ssh-keygen -Y signs a file through the agent"
  with_timeout 60 ssh-add -e "$(readlink -f "$module")" >"$work/add.log" 2>&1 </dev/null || fail "ssh-add -e"
  if ssh-add -L 2>/dev/null | grep >/dev/null '^ssh-rsa'; then fail "ssh-add -e leaves keys in the agent"; fi
  pass "ssh-add -e removes them"
}

list_keys
start_sshd
test_direct_login
test_agent
done_ok
