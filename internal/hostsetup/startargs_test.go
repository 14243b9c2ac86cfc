package hostsetup

import (
	"slices"
	"strings"
	"testing"

	"mngr/internal/agent"
	"mngr/internal/dockerflags"
)

func TestCheckStartArgs(t *testing.T) {
	const fine, usage, refused = agent.Kind(""), agent.KindUsage, agent.KindRefused
	tests := []struct {
		args string // separated by spaces
		want agent.Kind
	}{
		{"", fine},
		{"--memory 2g --cpus=1.5 -e A=b -eB=c -p 8080:80 -P --read-only", fine},
		{"--hostname other --network my-net --dns 1.1.1.1 --runtime=runsc --gpus all", fine},
		{"-v cache:/root/.cache -v /anonymous --tmpfs /scratch:size=1g", fine},
		{"--mount type=volume,source=cache,target=/c --mount type=tmpfs,dst=/t", fine},
		{"--mount source=cache,target=/mngr/cache", fine},
		{"--privileged=false --pid= --ipc=shareable --ipc private --cgroupns private", fine},
		{"--security-opt no-new-privileges --security-opt=no-new-privileges:true", fine},
		{"--network name=my-net,alias=x --ulimit nofile=1:2 --label a=b", fine},

		{"-p 8022:22 -p 22 -p 22:22/udp -p 127.0.0.1::80 -p 2223-2230:80-87", fine},
		{"--oom-kill-disable=false --oom-score-adj 500 --sysctl net.core.somaxconn=1 -w /tmp", fine},

		{"--privileged", refused},
		{"--oom-kill-disable", refused},
		{"--oom-score-adj -1000", refused},
		{"--annotation a=b", refused},
		{"--runtime /tmp/evil", refused},
		{"--priv", refused}, // no abbreviation: unknown
		{"--privileged=1", refused},
		{"--privileged=maybe", refused},
		{"--privileged --memory 1g", refused},
		{"--memory 1g --privileged", refused},
		{"-P=true --cap-add=SYS_ADMIN", refused},
		{"--cap-add NET_ADMIN", refused},
		{"--device /dev/kvm", refused},
		{"--device-cgroup-rule=b 1:1 rwm", usage}, // the blank ends the value here
		{"--network host", refused},
		{"--network=host", refused},
		{"--net host", refused},
		{"--net=container:x", refused},
		{"--network name=host", refused},
		{"--network alias=x,name=HOST", refused},
		{`--network "x`, refused},
		{"--pid host", refused},
		{"--pid=container:mngr", refused},
		{"--ipc=host", refused},
		{"--uts host", refused},
		{"--userns=host", refused},
		{"--cgroupns=host", refused},
		{"--cgroup-parent /", refused},
		{"--security-opt seccomp=unconfined", refused},
		{"--security-opt apparmor=unconfined", refused},
		{"--security-opt=systempaths=unconfined", refused},
		{"--security-opt label=disable", refused},
		{"--security-opt no-new-privileges=false", refused},
		{"-v /:/host", refused},
		{"-v=/:/host", refused},
		{"-v/:/host", refused},
		{"-itv /:/host", usage}, // -i and -t are ours
		{"-Pv /:/host", refused},
		{"-Pv/:/host", refused},
		{"--volume=/var/run/docker.sock:/var/run/docker.sock", refused},
		{"--volume ./x:/y", refused},
		{"--volume ../x:/y", refused},
		{"--volume ~:/y", refused},
		{"--mount type=bind,source=/,target=/host", refused},
		{"--mount=src=/,dst=/host,type=bind", refused},
		{"--mount TYPE=bind,src=/,dst=/host", refused},
		{`--mount "type=bind",src=/,dst=/host`, refused},
		{"--mount type=volume,type=bind,src=/,dst=/host", refused},
		{"--mount type=volume,source=x,target=/y,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/", refused},
		{"--mount type=volume,source=x,target=/y,volume-driver=other", refused},
		{"--mount type=npipe,source=x,target=/y", refused},
		{"--volumes-from other", refused},
		{"--volume-driver local", refused},
		{"--env-file /etc/shadow", refused},
		{"--log-driver=gelf --log-opt gelf-address=tcp://169.254.169.254:80", refused},
		{"--use-api-socket", refused},
		{"--brand-new-flag", refused},
		{"-X", refused},

		{"--name other", usage},
		{"--entrypoint=sh", usage},
		{"--user 1000", usage},
		{"-u1000", usage},
		{"--restart always", usage},
		{"--rm", usage},
		{"-d", usage},
		{"--init", usage},
		{"--label mngr-host-id=x", usage},
		{"-lmngr-host-id=x", usage},
		{"--cidfile /etc/passwd", usage},
		{"alpine", usage},
		{"--memory 1g alpine", usage},
		{"-- alpine", usage},
		{"-", usage},
		{"--memory", usage},
		{"-Pm", usage},
		{"--pull always", usage},
		{"--network none", usage},
		{"--net=none", usage},
		{"-p 22:80", usage},
		{"-p 20-30:20-30", usage},
		{"-p 127.0.0.1:2222:80/tcp", usage},
		{"-p [::1]:2222:80", usage},
		{"--publish=2222:22", usage},
		{"-p x:22", usage},
		{"-v x:/opt/mngr", usage},
		{"-v x:/opt", usage},
		{"-v x:/opt/mngr/mngrd", usage},
		{"-v x:/a/../mngr/", usage},
		{"-v /run", usage},
		{"--tmpfs /run", usage},
		{"--mount type=tmpfs,dst=/run/mngr-signal", usage},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			args := strings.Fields(test.args)
			err := CheckStartArgs(args, StartRules{SSHPort: 2222})
			if got := kind(err); got != test.want {
				t.Errorf("got %q (%v), want %q", got, err, test.want)
			}
			if test.want == refused && agent.HintOf(err) == "" {
				t.Error("a refusal without a hint")
			}
			// Unsafe lets pass what breaks the boundary and nothing else.
			want := test.want
			if want == refused {
				want = fine
			}
			if err := CheckStartArgs(args, StartRules{Unsafe: true, SSHPort: 2222}); kind(err) != want {
				t.Errorf("unsafe: got %v, want %q", err, want)
			}
		})
	}
}

func kind(err error) agent.Kind {
	if err == nil {
		return ""
	}
	return agent.KindOf(err)
}

// Whatever is accepted is made of flags alone and holds none of the words that open the
// machine, however they are spelled.
func FuzzStartArgs(f *testing.F) {
	for _, seed := range []string{"--memory\n1g", "-Pv\n/:/host", "-v=/:/h", "--network\nname=host", "--privileged=0", "-e\n--privileged"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, joined string) {
		args := strings.Split(joined, "\n")
		if CheckStartArgs(args, StartRules{SSHPort: 2222}) != nil {
			return
		}
		flags, words, err := dockerflags.Run().Parse(args)
		if err != nil || len(words) > 0 {
			t.Fatalf("accepted %q, but %v, %q", args, err, words)
		}
		raw := 0
		for i, g := range flags {
			if i == 0 || flags[i-1].Raw != g.Raw {
				raw++
			}
			forbidden := []string{"cap-add", "device", "volumes-from", "name", "entrypoint"}
			if slices.Contains(forbidden, g.Name) || g.Name == "volume" && strings.HasPrefix(g.Value, "/") && strings.Contains(g.Value, ":") {
				t.Errorf("accepted %q", g.Raw)
			}
		}
		if raw > len(args) {
			t.Errorf("%d flags from %d arguments", raw, len(args))
		}
	})
}
