# Runs in a throwaway container of an image: installs what mngr needs and the image lacks,
# all in one call of its package manager. Lines on standard output that begin with "mngr:"
# are read by mngrd; the package manager speaks on standard error.
missing=
for tool in tmux git rsync; do
	command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
[ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ] ||
	[ -e /etc/ssl/cert.pem ] || missing="$missing ca-certificates"
echo "mngr:missing$missing"
[ -n "$missing" ] || exit 0
for manager in apt-get apk microdnf dnf none; do
	command -v "$manager" >/dev/null 2>&1 && break
done
echo "mngr:manager $manager"
exec >&2
set -e
case $manager in
apt-get)
	export DEBIAN_FRONTEND=noninteractive
	apt-get -q update
	apt-get -q -y install --no-install-recommends $missing
	rm -rf /var/lib/apt/lists/*
	;;
apk) apk add --no-cache $missing ;;
dnf) dnf -y --setopt=install_weak_deps=False install $missing && dnf clean all ;;
microdnf) microdnf -y --nodocs --setopt=install_weak_deps=0 install $missing && microdnf clean all ;;
none) exit 90 ;;
esac
