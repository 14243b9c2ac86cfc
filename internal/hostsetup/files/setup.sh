#!/bin/sh
# Makes this machine able to run its container. mngr-setup.service runs it at every boot
# until it has succeeded once. What the image has is not installed again.
set -eu

run=${MNGR_RUN_DIR:-/run/mngr}
state=${MNGR_STATE_DIR:-/var/lib/mngr}
log=$run/setup.log
: "${DOCKER_PACKAGES:=docker.io}"
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a

install -d -m 0755 "$run"
install -d -m 0700 "$state"
rm -f "$run/setup-failed"
exec >"$log" 2>&1

finish() {
	status=$?
	[ "$status" -eq 0 ] && return
	{
		echo "setup failed with status $status while: $(cat "$run/phase")"
		tail -n 15 "$log"
	} >"$run/setup-failed.new"
	mv "$run/setup-failed.new" "$run/setup-failed"
}
trap finish EXIT

phase() {
	echo "$1" >"$run/phase"
	echo "== $1 ($(cut -d' ' -f1 /proc/uptime) s after boot)"
}

apt() {
	apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
		-o Dpkg::Options::=--force-confold "$@"
}

# The package lists of an image are empty or old: ask for new ones only when needed.
get_packages() {
	apt install --no-install-recommends "$@" && return
	for pause in 2 5 10 20; do
		if apt update; then
			apt install --no-install-recommends "$@" && return
			# A name that fresh lists do not know stays unknown.
			if apt install --simulate "$@" 2>&1 | grep 'Unable to locate package'; then return 1; fi
		fi
		sleep "$pause"
	done
	return 1
}

if ! command -v nft >/dev/null; then
	phase "installing nftables"
	get_packages nftables
fi
phase "guarding the machine's own network"
# It is not enabled: docker.service requires it, whoever starts that.
systemctl start mngr-guard.service

if ! command -v dockerd >/dev/null; then
	phase "installing $DOCKER_PACKAGES"
	# The list is split into words on purpose.
	# shellcheck disable=SC2086
	get_packages $DOCKER_PACKAGES
fi
phase "starting the Docker engine"
systemctl enable --now docker.service
docker version --format 'engine {{.Server.Version}}'

phase "ready"
touch "$state/setup-done"
