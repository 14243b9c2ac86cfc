#!/bin/sh
# Keeps packets of containers away from Azure's metadata services, from the services of
# this machine and from its neighbours. What enters on an interface that does not lead to
# Azure comes from a container. Replies to connections from outside pass.
set -eu

# uplinks prints the interfaces on the way to anywhere and to Azure's two host addresses.
uplinks() {
	{
		ip -4 route show default
		ip -6 route show default
		ip -4 route get 169.254.169.254 || :
		ip -4 route get 168.63.129.16 || :
	} 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' | sort -u
}

# Without a default route the uplink is not known, and nothing may run unguarded.
patience=${MNGR_PATIENCE:-60} # seconds
until [ -n "$(ip -4 route show default)" ]; do
	if [ "$patience" -le 0 ]; then
		echo "no default route: the uplink is not known" >&2
		exit 1
	fi
	patience=$((patience - 1))
	sleep 1
done

trusted='"lo"'
for interface in $(uplinks); do
	trusted="$trusted, \"$interface\""
done

nft -f - <<EOF
add table inet mngr_guard
delete table inet mngr_guard
table inet mngr_guard {
	set trusted {
		type ifname
		elements = { $trusted }
	}
	chain before_routing {
		type filter hook prerouting priority mangle; policy accept;
		iifname @trusted return
		meta nfproto ipv6 counter drop
		ip saddr { 169.254.0.0/16, 168.63.129.16 } counter drop
		ct direction reply return
		ip daddr 168.63.129.16 meta l4proto { tcp, udp } th dport 53 return
		ip daddr { 169.254.0.0/16, 168.63.129.16 } counter drop
		${SUBNET_PREFIX:+ip daddr $SUBNET_PREFIX counter drop}
	}
	chain to_this_machine {
		type filter hook input priority filter - 10; policy accept;
		iifname @trusted return
		ct direction reply return
		counter drop
	}
}
EOF
echo "guarded: containers enter on any interface but $trusted"
