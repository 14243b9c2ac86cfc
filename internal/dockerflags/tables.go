package dockerflags

// Run is the table of `docker run` and `docker create` (docker 20.10 to 29).
func Run() Table {
	return Table{
		switches: words(`detach disable-content-trust help init interactive no-healthcheck oom-kill-disable
			privileged publish-all quiet read-only rm sig-proxy tty use-api-socket`),
		valued: words(`add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop
			cgroup-parent cgroupns cidfile cpu-count cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime
			cpu-shares cpus cpuset-cpus cpuset-mems detach-keys device device-cgroup-rule device-read-bps
			device-read-iops device-write-bps device-write-iops dns dns-opt dns-option dns-search domainname
			entrypoint env env-file expose gpus group-add health-cmd health-interval health-retries
			health-start-interval health-start-period health-timeout hostname io-maxbandwidth io-maxiops ip ip6
			ipc isolation kernel-memory label label-file link link-local-ip log-driver log-opt mac-address memory
			memory-reservation memory-swap memory-swappiness mount name net net-alias network network-alias
			oom-score-adj pid pids-limit platform publish pull restart runtime security-opt shm-size stop-signal
			stop-timeout storage-opt sysctl tmpfs ulimit user userns uts volume volume-driver volumes-from workdir`),
		shorthands: map[byte]string{
			'a': "attach", 'c': "cpu-shares", 'd': "detach", 'e': "env", 'h': "hostname", 'i': "interactive",
			'l': "label", 'm': "memory", 'P': "publish-all", 'p': "publish", 'q': "quiet", 't': "tty",
			'u': "user", 'v': "volume", 'w': "workdir",
		},
	}
}

// Build is the table of `docker build`, of the engine's own (docker 20.10) and of buildx.
func Build() Table {
	return Table{
		switches: words(`check compress debug disable-content-trust force-rm help load no-cache pull push quiet rm
			squash stream`),
		valued: words(`add-host allow annotation attest build-arg build-context builder cache-from cache-to call
			cgroup-parent cpu-period cpu-quota cpu-shares cpuset-cpus cpuset-mems file iidfile isolation label memory
			memory-swap metadata-file network no-cache-filter output platform policy progress provenance sbom secret
			security-opt shm-size ssh tag target ulimit`),
		shorthands: map[byte]string{
			'c': "cpu-shares", 'D': "debug", 'f': "file", 'm': "memory", 'o': "output", 'q': "quiet", 't': "tag",
		},
	}
}
