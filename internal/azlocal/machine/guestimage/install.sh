# Installs the packages given as arguments, run by sh inside a container with the host's network.
set -eu
export DEBIAN_FRONTEND=noninteractive
if ls /usr/local/share/ca-certificates/*.crt >/dev/null 2>&1 && command -v update-ca-certificates >/dev/null; then
	update-ca-certificates >/dev/null
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@"
apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log /var/log/apt

# What has to be each machine's own.
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id
: >/etc/machine-id

# Kernel settings that are not per network namespace belong to the computer below.
mkdir -p /etc/sysctl.d
for file in /usr/lib/sysctl.d/*.conf; do
	[ -e "$file" ] && ln -sf /dev/null "/etc/sysctl.d/${file##*/}"
done

# A journal that outlives a reboot, as in Debian's cloud images.
mkdir -p /var/log/journal

# Timers that would hold apt's lock at a moment nobody expects.
systemctl mask --quiet apt-daily.timer apt-daily-upgrade.timer
systemctl enable --quiet azlocal-ready.service
