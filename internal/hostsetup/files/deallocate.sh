#!/bin/sh
# Asks Azure to deallocate this machine, again and again until it is down. It never powers
# the machine off: a machine that is off but allocated still bills and cannot be reached.
# It writes only to /run and, if that works, the reason to the disk: a full disk stops nothing.
set -u

: "${ARM_ENDPOINT:?}" "${ARM_AUDIENCE:?}"
imds=${IMDS_ENDPOINT:-http://169.254.169.254}
signal=${MNGR_SIGNAL_DIR:-/run/mngr-signal}
run=${MNGR_RUN_DIR:-/run/mngr}
state=${MNGR_STATE_DIR:-/var/lib/mngr}
delays=${MNGR_DELAYS:-1 2 5 10 20 30 60} # seconds; the last one repeats
patience=${MNGR_PATIENCE:-1800}          # seconds of 403 until the role is taken for missing
slow=${MNGR_SLOW_DELAY:-600}             # seconds between tries from then on
settle=${MNGR_SETTLE_DELAY:-120}         # seconds that an accepted request gets

plain() { LC_ALL=C tr -cd '\040-\176' | cut -c "1-$1"; }
say() { printf '%s\n' "$*" | plain 400; }

# The container's root owns the signal directory: no link is followed, no pipe waited for.
sentinel() {
	timeout 5 dd if="$signal/idle" iflag=nofollow,nonblock bs=1024 count=1 2>/dev/null | plain 1024
}

note_reason() {
	cause=idle
	[ -f "$run/stop-cause" ] && cause=$(head -c 64 "$run/stop-cause" | plain 64)
	{
		echo "at=$(date -u +%Y-%m-%dT%H:%M:%SZ)"
		echo "cause=$cause"
		echo "detail=$(sentinel)"
	} >"$state/stop-reason.new" && mv "$state/stop-reason.new" "$state/stop-reason"
	say "deallocating this machine: $cause"
}

# fetch runs curl and sets code (000: no answer) and body.
fetch() {
	answer=$(curl -q --silent --show-error --connect-timeout 10 --max-time 30 \
		--write-out '\n%{http_code}' "$@")
	code=${answer##*[!0-9]}
	body=${answer%"$code"}
}

# attempt makes one request; it leaves ARM's code in code, 000 if it came not so far.
attempt() {
	fetch --noproxy '*' --header 'Metadata: true' --get --data 'api-version=2018-02-01' \
		--data-urlencode "resource=$ARM_AUDIENCE" "$imds/metadata/identity/oauth2/token" </dev/null
	token=$(printf '%s' "$body" | tr -d '\n' |
		sed -n 's/.*"access_token" *: *"\([A-Za-z0-9._~+/=-]*\)".*/\1/p')
	if [ "$code" != 200 ] || [ -z "$token" ]; then
		say "no token from the metadata service: HTTP $code $body"
		code=000
		return
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
		return
	fi

	# The token goes through standard input: argv is for everybody to read.
	fetch ${ARM_CACERT:+--cacert "$ARM_CACERT"} --config - --request POST --data '' \
		"$ARM_ENDPOINT$id/deallocate?api-version=2024-07-01" <<-EOF
		header = "Authorization: Bearer $token"
	EOF
	say "deallocate: HTTP $code $body"
}

note_reason
denied_since=
# Split into words on purpose.
# shellcheck disable=SC2086
set -- $delays
while :; do
	attempt
	case $code in
	2??)
		sleep "$settle"
		continue
		;;
	403) : "${denied_since:=$(date +%s)}" ;;
	*) denied_since= ;;
	esac
	if [ -n "$denied_since" ] && [ $(($(date +%s) - denied_since)) -ge "$patience" ]; then
		sleep "$slow"
		continue
	fi
	sleep "$1"
	[ $# -gt 1 ] && shift
done
