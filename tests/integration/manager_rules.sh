#!/usr/bin/env bash
# What operators may decide: attribute mappings refused in words when they are saved, roles of one's own, lists that
# show whom a scope reaches in full pages, and changes of what somebody else changes meanwhile.
. "$(dirname "$0")/manager_lib.sh"
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
between_pid=
after_manager() {
  [ -z "$between_pid" ] || { kill "$between_pid" && wait "$between_pid"; } 2>/dev/null
}
make_manager
start_manager

# refused_mapping WORDS DOCUMENT: saving it is refused in a sentence with these words, for a new policy and for one that is there.
policies=$(request GET /v1/policies | jq '.items | length')
policy=$(request GET /v1/policies | jq '.items[0].id')
kept=$(request GET "/v1/policies/$policy")
refused_mapping() {
  local answer
  answer=$(post /v1/policies "{\"name\":\"wrong\",\"ca\":2,\"ca_profile\":\"tls-client\",\"document\":$2}")
  is_problem invalid-content 422 "$answer"
  jq -r .detail <<<"$answer" | grep >/dev/null -F -- "$1" || fail "no '$1' in: $answer"
  answer=$(request PATCH "/v1/policies/$policy" -H 'Content-Type: application/json' -d "{\"document\":$2}")
  is_problem invalid-content 422 "$answer"
  [ "$(request GET "/v1/policies/$policy")" = "$kept" ] || fail "a policy was changed to something wrong: $2"
}
name() { printf '{"subject":[{"type":"%s","from":"%s"}]}' "$1" "$2"; }
refused_mapping "is no source" "$(name CN person.shoe_size)"
refused_mapping "is no source" "$(name CN company.name)"
refused_mapping "needs the attribute's name" "$(name CN person.attributes.)"
refused_mapping "must be one of" "$(name XX person.name)"
refused_mapping "country code" "$(name C =Atlantis)"
refused_mapping "longer than 64" "$(name CN "=$(printf 'x%.0s' $(seq 65))")"
refused_mapping "must not be empty" "$(name CN =)"
refused_mapping "address" '{"subject":[{"type":"CN","from":"person.name"}],"alternative_names":[{"type":"email","from":"=nobody"}]}'
refused_mapping "x400" '{"subject":[{"type":"CN","from":"person.name"}],"alternative_names":[{"type":"x400","from":"person.email"}]}'
refused_mapping "security identifier" '{"subject":[{"type":"CN","from":"person.name"}],"sid":{"from":"=S-5"}}'
refused_mapping "subject" '{"subject":"CN=alice"}'
refused_mapping "from" '{"subject":[{"type":"CN"}]}'
refused_mapping "colour" '{"subject":[{"type":"CN","from":"person.name"}],"colour":"red"}'
[ "$(request GET /v1/policies | jq '.items | length')" = "$policies" ] || fail "a wrong policy was stored"
say "13 wrong mappings refused in words"

# A role of one's own.
"$cardea" operator role save front-desk --right person_read --right request_read --scope department >/dev/null ||
  fail "a role of one's own"
"$cardea" operator role list --json | jq -e '.names | index("front-desk") and index("system_administrator")' >/dev/null ||
  fail "roles are not listed"
"$cardea" operator role save front-desk --right no_such_right >/dev/null 2>&1 && fail "a right that does not exist"
"$cardea" operator role save normal --right person_read >/dev/null 2>&1 && fail "a role of the product was changed"
"$cardea" operator add dora --role front-desk --scope department --department sales >/dev/null || fail "dora is not appointed"
"$cardea" operator access-token create dora --name test --out "$work/dora" || fail "no access token"
as_dora() { request_bare GET "$1" -H "Authorization: Bearer $(cat "$work/dora")"; }
is_problem not-permitted 403 "$(as_dora /v1/tokens)"


# What reaches a department does not reach the log of everybody, and the right to do a thing shows that it is done.
"$cardea" operator role save log-reader --right audit_read --scope department >/dev/null || fail "a second role"
"$cardea" operator change dora --role log-reader >/dev/null || fail "dora has no other role"
for path in events verification export; do is_problem not-permitted 403 "$(as_dora "/v1/audit/$path")"; done
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/c.key" -out "$work/c.csr" \
  -subj /CN=client 2>/dev/null
certificate=$("$cardea" manager cert issue "$work/c.csr" --policy tls-client --json | jq -e .id) || fail "no certificate"
"$cardea" operator role save revoker --right certificate_revoke --scope all >/dev/null || fail "a third role"
"$cardea" operator change dora --role revoker --scope all >/dev/null || fail "dora revokes nothing"
revoked=$(request_bare POST "/v1/certificates/$certificate/revoke" -H "Authorization: Bearer $(cat "$work/dora")" \
  -H 'Content-Type: application/json' -d '{}')
[ "$(jq -r .state <<<"$revoked")" = revoked ] || fail "the answer to a revocation that is done: $revoked"
"$cardea" operator change dora --role front-desk --scope department >/dev/null || fail "dora is not back"

# Attributes that are not named stay.
attributes() { "$cardea" person show mel --json | jq -c .attributes; }
"$cardea" person add mel --attribute upn=mel@example.org --attribute sid=S-1-5-21-1 >/dev/null || fail "mel is not added"
"$cardea" person change mel --attribute sid=S-1-5-21-2 >/dev/null || fail "mel is not changed"
[ "$(attributes | jq -r '.upn + " " + .sid')" = "mel@example.org S-1-5-21-2" ] || fail "mel has $(attributes)"
"$cardea" person change mel --attribute upn= >/dev/null || fail "an attribute stays"
[ "$(attributes)" = '{"sid":"S-1-5-21-2"}' ] || fail "mel has $(attributes)"
mel=$("$cardea" person show mel --json | jq .id)
"$cardea" operator add ellen --role front-desk --person mel --json | jq -e ".person == $mel" >/dev/null ||
  fail "ellen is none of the people"

# One in ten is of her department; the pages are full all the same.
for i in $(seq 60); do
  department=$([ $((i % 10)) = 0 ] && echo sales || echo archery)
  post /v1/persons "{\"name\":\"p$i\",\"department\":\"$department\"}" >/dev/null
done
seen='' cursor='' pages=0
while :; do
  page=$(as_dora "/v1/persons?limit=2$cursor")
  [ "$(jq '.items | length' <<<"$page")" = 2 ] || fail "page $pages is not full: $page"
  seen+=" $(jq -r '.items[].name' <<<"$page" | tr '\n' ' ')"
  pages=$((pages + 1))
  [ "$pages" -lt 3 ] || break
  cursor="&cursor=$(jq -r '.next | @uri' <<<"$page")"
done
[ "$(tr -s ' ' <<<"$seen")" = " p10 p20 p30 p40 p50 p60 " ] || fail "dora sees: $seen"
is_problem not-permitted 403 "$(as_dora "/v1/persons/$(request GET '/v1/persons?q=p11' | jq '.items[0].id')")"

# A job is about whom its request is about.
number=$("$cardea" request create issue --person p11 --profile staff-keystore --json | jq -e .id) || fail "no request"
code=$("$cardea" request code "$number") || fail "no code"
job=$(request_bare POST /v1/agent/sessions -H 'Content-Type: application/json' -d "{\"code\":\"$code\"}" | jq -e .job) ||
  fail "no job"
request GET "/v1/jobs/$job" | jq -e .state >/dev/null || fail "the administrator does not see the job"
[ "$(as_dora /v1/jobs | jq -c .items)" = '[]' ] || fail "dora sees jobs about others"
is_problem not-permitted 403 "$(as_dora "/v1/jobs/$job")"
say "roles of one's own, scopes and full pages"

# Whoever changes what they read comes too late when somebody else was faster.
"$cardea" operator access-token create administrator --name meanwhile --out "$work/token" || fail "no access token"
python3 "$(dirname "$0")/manager_meanwhile.py" "$data" "$port" >"$work/between" 2>"$work/between.log" &
between_pid=$!
for i in $(seq 300); do
  [ -s "$work/between" ] && break
  kill -0 "$between_pid" 2>/dev/null || fail "nobody stands between: $(cat "$work/between.log")"
  sleep 0.1
done
between=https://localhost:$(cat "$work/between")
# late COMMAND... : it is refused in words, what the other one did stays, and once it is meant all the same it is done.
late() {
  local status=0
  env -u CARDEA_MANAGER_CERTIFICATE -u CARDEA_MANAGER_KEY "$cardea" "$@" --server "$between" \
    --access-token-file "$work/token" >"$work/late" 2>&1 || status=$?
  [ "$status" = 1 ] || fail "$*: exit status $status, not 1: $(cat "$work/late") $(cat "$work/between.log")"
  grep >/dev/null 'Nothing was changed, because somebody else changed it' "$work/late" || fail "$*: $(cat "$work/late")"
  "$cardea" "$@" >"$work/late" 2>&1 || fail "$* is not done when it is meant: $(cat "$work/late")"
}
"$cardea" person change mel --department before >/dev/null || fail "mel is not changed"
late person change mel --email mel@example.test
[ "$("$cardea" person show mel --json | jq -r '.department + " " + .email')" = "meanwhile mel@example.test" ] ||
  fail "one of two changes of mel is lost: $("$cardea" person show mel)"
"$cardea" person change mel --department before >/dev/null || fail "mel is not changed"
late person change mel --attribute upn=mel2@example.org
[ "$("$cardea" person show mel --json | jq -r '.department + " " + .attributes.upn')" = "meanwhile mel2@example.org" ] ||
  fail "one of two changes of mel is lost: $("$cardea" person show mel)"
late operator change ellen --scope own
"$cardea" profile show staff-keystore --json | jq .document >"$work/profile.json"
late profile change staff-keystore --file "$work/profile.json"
"$cardea" ca policy show tls-client --json | jq .document >"$work/policy.json"
late ca policy change tls-client --file "$work/policy.json"
echo '{"crl_lifetime":"P6D"}' >"$work/ca.json"
late ca change issuing --file "$work/ca.json"
"$cardea" ca change issuing --retry-schedule '60;0' >/dev/null || fail "the authority is not changed"
late ca renew issuing
"$cardea" manager token add piv 4711 >/dev/null || fail "no token"
late manager token change 4711 --location 'safe 1'

# The same by hand, however long ago it was looked at.
etag=$("$cardea" person show mel --json | jq -er .etag) || fail "no etag is shown"
"$cardea" person change mel --department archery --if-match "$etag" >/dev/null || fail "what is as it was is not changed"
status=0
"$cardea" person change mel --department sales --if-match "$etag" >"$work/late" 2>&1 || status=$?
[ "$status" = 1 ] || fail "what was changed since is changed: status $status"
"$cardea" person show mel --json | jq -e '.department == "archery"' >/dev/null || fail "it was changed all the same"
"$cardea" person change mel --department sales --if-match '*' >/dev/null || fail "whatever is there is not changed"
say "two who change the same: the later one is told"

# Of an import the manager keeps neither the file nor its password in memory.
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/old.key" -out "$work/old.pem" -subj /CN=old -days 9 \
  -addext keyUsage=keyEncipherment -addext basicConstraints=CA:FALSE 2>/dev/null
(umask 077 && python3 -c 'import random; print("".join(random.choices("abcdefghijklmnop", k=200)))' >"$work/password")
openssl pkcs12 -export -inkey "$work/old.key" -in "$work/old.pem" -out "$work/old.p12" -passout "file:$work/password"
base64 -w 0 "$work/old.p12" >"$work/old.base64"
"$cardea" archive import "$work/old.p12" --person mel --password-file "$work/password" >/dev/null || fail "no import"
for text in password old.base64; do
  # Until the connection is closed at the manager's end, too.
  for i in $(seq 100); do
    status=0
    python3 "$(dirname "$0")/manager_memory.py" "$(manager_process)" "$work/$text" || status=$?
    [ "$status" = 1 ] || break
    sleep 0.1
  done
  [ "$status" != 77 ] || { say "left out: the manager's memory, which may not be read here"; break; }
  [ "$status" = 0 ] || fail "the $text of an import stays in the manager's memory (status $status)"
done
stop_manager
say "an import leaves nothing in memory"
