package hostsetup

import (
	"embed"
	"fmt"
	"strings"
	"time"
)

//go:embed files
var embedded embed.FS

const (
	unitDir = "/etc/systemd/system/"
	etcDir  = "/etc/mngr/"
	envFile = etcDir + "host.env"
	caFile  = etcDir + "arm-ca.pem"
	// signalMount is systemd's name for the mount of SignalDir.
	signalMount = `run-mngr\x2dsignal.mount`
)

// powerOffGrace is how long a machine whose time is up has to be deallocated. Then one that
// Azure does not let deallocate itself powers off: it still bills, but does nothing more.
const powerOffGrace = 15 * time.Minute

// files are all files that cloud-init writes.
func (p Params) files() []writeFile {
	files := []writeFile{
		{Path: envFile, Permissions: "0644", Content: p.env()},
		{Path: "/etc/ssh/sshd_config.d/10-mngr.conf", Permissions: "0644", Content: embeddedFile("sshd.conf")},
		{Path: unitDir + "docker.service.d/mngr-guard.conf", Permissions: "0644", Content: embeddedFile("docker-guard.conf")},
		{Path: unitDir + signalMount, Permissions: "0644", Content: embeddedFile("mngr-signal.mount")},
	}
	if len(p.ControlPlane.CACert) > 0 {
		files = append(files, writeFile{Path: caFile, Permissions: "0644", Content: string(p.ControlPlane.CACert)})
	}
	for _, name := range []string{"setup.sh", "guard.sh", "deallocate.sh"} {
		files = append(files, writeFile{Path: LibDir + "/" + name, Permissions: "0755", Content: embeddedFile(name)})
	}
	for _, name := range []string{Setup, "mngr-guard.service", "mngr-idle.path", Deallocate, "mngr-deadman.service", Service} {
		files = append(files, unit(name, embeddedFile(name)))
	}
	deadMan := p.DeadMan
	if deadMan == 0 {
		deadMan = defaultDeadMan
	}
	files = append(files, timer("mngr-deadman", deadMan))
	if p.AutoShutdown > 0 {
		files = append(files, unit("mngr-autoshutdown.service", embeddedFile("mngr-autoshutdown.service")),
			timer("mngr-autoshutdown", p.AutoShutdown),
			unit("mngr-poweroff.service", embeddedFile("mngr-poweroff.service")),
			timer("mngr-poweroff", p.AutoShutdown+powerOffGrace))
	}
	return files
}

// unitsAtOnce are the units that must hold even if the installation of Docker fails.
func (p Params) unitsAtOnce() []string {
	units := []string{signalMount, "mngr-idle.path", "mngr-deadman.timer"}
	if p.AutoShutdown > 0 {
		units = append(units, "mngr-autoshutdown.timer", "mngr-poweroff.timer")
	}
	return units
}

// env is the EnvironmentFile of our units. check has seen to it that no value needs quotes
// but the list of packages.
func (p Params) env() string {
	var b strings.Builder
	fmt.Fprintf(&b, "ARM_ENDPOINT=%s\n", strings.TrimSuffix(p.ControlPlane.Endpoint, "/"))
	fmt.Fprintf(&b, "ARM_AUDIENCE=%s\n", p.ControlPlane.Audience)
	if len(p.ControlPlane.CACert) > 0 {
		fmt.Fprintf(&b, "ARM_CACERT=%s\n", caFile)
	}
	if p.ControlPlane.SubnetPrefix != "" {
		fmt.Fprintf(&b, "SUBNET_PREFIX=%s\n", p.ControlPlane.SubnetPrefix)
	}
	if p.AutoShutdown > 0 {
		fmt.Fprintf(&b, "%s=%d\n", EnvAutoShutdown, seconds(p.AutoShutdown))
	}
	if len(p.DockerPackages) > 0 {
		fmt.Fprintf(&b, "DOCKER_PACKAGES=%q\n", strings.Join(p.DockerPackages, " "))
	}
	return b.String()
}

func unit(name, content string) writeFile {
	return writeFile{Path: unitDir + name, Permissions: "0644", Content: content}
}

func timer(name string, after time.Duration) writeFile {
	text := strings.ReplaceAll(embeddedFile(name+".timer"), "@SECONDS@", fmt.Sprint(seconds(after)))
	return unit(name+".timer", text)
}

func seconds(d time.Duration) int64 { return max(int64(d/time.Second), 1) }

// embeddedFile returns a file that is part of this package: a missing one is a defect that
// every test of CloudInit meets.
func embeddedFile(name string) string {
	content, err := embedded.ReadFile("files/" + name)
	if err != nil {
		panic(err)
	}
	return string(content)
}
