#!/bin/sh
# Asks Azure to deallocate this machine, again and again until it is down or nobody wants it
# any more. It never powers the machine off: a machine that is off but allocated still bills
# and cannot be reached. It writes only to /run and, if that works, the reason to the disk: a
# full disk stops nothing.
#
# `deallocate.sh check` asks instead whether Azure would let this machine do it: 0 yes, 1 no
# (the reason is its last line), 2 nobody can tell now.
set -u

: "${ARM_ENDPOINT:?}" "${ARM_AUDIENCE:?}"
imds=${IMDS_ENDPOINT:-http://169.254.169.254}
signal=${MNGR_SIGNAL_DIR:-/run/mngr-signal}
run=${MNGR_RUN_DIR:-/run/mngr}
state=${MNGR_STATE_DIR:-/var/lib/mngr}
delays=${MNGR_DELAYS:-1 2 5 10 20 30 60} # seconds; the last one repeats
patience=${MNGR_PATIENCE:-1800}          # seconds of refusals until the role is taken for missing
slow=${MNGR_SLOW_DELAY:-600}             # seconds between tries from then on, and the longest pause
settle=${MNGR_SETTLE_DELAY:-120}         # seconds that an accepted request gets

plain() { LC_ALL=C tr -cd '\040-\176' | cut -c "1-$1"; }
say() { printf '%s\n' "$*" | plain 400; }
now() { cut -d. -f1 /proc/uptime; } # no clock that can be set

# cause prints why the machine is to go: one of the files that the machine's own units and
# mngrd make, else the container's sentinel. Who takes the file away takes the wish back.
cause() {
	for file in "$run"/stop/*; do
		[ -f "$file" ] && echo "${file##*/}" && return
	done
	[ -e "$signal/idle" ] || [ -L "$signal/idle" ] && echo idle
}

# The container's root owns the signal directory: no link is followed, no pipe waited for.
sentinel() {
	timeout 5 dd if="$signal/idle" iflag=nofollow,nonblock bs=1024 count=1 2>/dev/null | plain 1024
}

note_reason() {
	detail=
	[ "$why" = idle ] && detail=$(sentinel)
	{
		echo "at=$(date -u +%Y-%m-%dT%H:%M:%SZ)"
		echo "cause=$why"
		echo "detail=$detail"
	} >"$state/stop-reason.new" && mv "$state/stop-reason.new" "$state/stop-reason"
	say "deallocating this machine: $why"
}

# fetch runs curl and sets code (000: no answer) and body.
fetch() {
	answer=$(curl -q --silent --show-error --connect-timeout 10 --max-time 30 \
		--write-out '\n%{http_code}' "$@")
	code=${answer##*[!0-9]}
	body=${answer%"$code"}
}

# identify sets token and id. It fails with code 000, and with refusal set where the
# metadata service says that there is no identity.
identify() {
	fetch --noproxy '*' --header 'Metadata: true' --get --data 'api-version=2018-02-01' \
		--data-urlencode "resource=$ARM_AUDIENCE" "$imds/metadata/identity/oauth2/token" </dev/null
	token=$(printf '%s' "$body" | tr -d '\n' |
		sed -n 's/.*"access_token" *: *"\([A-Za-z0-9._~+/=-]*\)".*/\1/p')
	if [ "$code" != 200 ] || [ -z "$token" ]; then
		say "no token from the metadata service: HTTP $code $body"
		[ "$code" = 400 ] && refusal="the machine has no identity"
		code=000
		return 1
	fi

	fetch --noproxy '*' --header 'Metadata: true' \
		"$imds/metadata/instance/compute/resourceId?api-version=2021-02-01&format=text" </dev/null
	id=$(printf '%s' "$body" | tr -d '\n')
	case $code$id in
	*[!A-Za-z0-9/_.\(\)-]*) id= ;;
	200/subscriptions/*) ;;
	*) id= ;;
	esac
	if [ -z "$id" ]; then
		say "no resource id from the metadata service: HTTP $code $body"
		code=000
		return 1
	fi
}

# arm makes one request as this machine. It leaves ARM's code in code, 000 if it came not so
# far; in refusal why this machine may not, and in wait the seconds that ARM asks for.
arm() {
	refusal= wait=0
	identify || return
	# The token goes through standard input: argv is for everybody to read.
	fetch ${ARM_CACERT:+--cacert "$ARM_CACERT"} --config - --dump-header - --request "$1" \
		${2:+--data ''} "$ARM_ENDPOINT$id${2-}?api-version=2024-07-01" <<-EOF
		header = "Authorization: Bearer $token"
	EOF
	case $code in
	401 | 403) refusal="the role mngr-self-deallocate is missing or not in effect yet (HTTP $code)" ;;
	esac
	wait=$(printf '%s' "$body" | tr -d '\r' |
		sed -n 's/^[Rr][Ee][Tt][Rr][Yy]-[Aa][Ff][Tt][Ee][Rr]: *\([0-9]\{1,6\}\) *$/\1/p' | tail -n 1)
	: "${wait:=0}"
}

if [ "${1-}" = check ]; then
	arm GET
	[ "$code" = 200 ] && exit 0
	[ -n "$refusal" ] && say "$refusal" && exit 1
	say "nobody can tell now (HTTP $code)"
	exit 2
fi

noted= refused_since=
# Split into words on purpose.
# shellcheck disable=SC2086
set -- $delays
while why=$(cause) && [ -n "$why" ]; do
	[ "$why" = "$noted" ] || note_reason
	noted=$why
	arm POST /deallocate
	[ "$code" = 000 ] || say "deallocate: HTTP $code $(printf '%s' "$body" | tr -d '\r' | sed '1,/^$/d')"
	pause=$1
	[ $# -gt 1 ] && shift
	if [ -z "$refusal" ]; then
		refused_since=
		rm -f "$run/refused"
	else
		: "${refused_since:=$(now)}"
		mkdir -p "$run" && echo "$refusal" >"$run/refused"
		[ $(($(now) - refused_since)) -ge "$patience" ] && pause=$slow
	fi
	case $code in 2??) pause=$settle ;; esac
	[ "$wait" -gt "${slow%.*}" ] && wait=$slow
	# Pauses may be fractions; what Azure asks for is whole seconds.
	[ "${wait%.*}" -gt "${pause%.*}" ] && pause=$wait
	sleep "$pause"
done
rm -f "$state/stop-reason" "$run/refused"
say "nobody wants this machine to go any more"
