package compute

import (
	"crypto/rand"
	"net/http"
	"regexp"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// command is a script that Azure keeps ready.
type command struct {
	id, os, label, text string
	script              []string
	parameters          []any
}

// commands are those of Linux, and the one of Windows that clients try.
func commands() []command {
	parameter := func(name string) any {
		return doc.Object{"name": name, "type": "string", "defaultValue": "", "required": false}
	}
	return []command{
		{"RunShellScript", "Linux", "Executes a Linux shell script", "Custom multiline shell script should be defined in script property. Optional parameters can be set in parameters property.",
			[]string{"echo This is a sample script", "echo Optional parameters: $0 $1 $2"}, []any{parameter("arg1"), parameter("arg2")}},
		{"ifconfig", "Linux", "List network configuration", "Get the configuration of all network interfaces.", []string{"ifconfig"}, nil},
		{"RunPowerShellScript", "Windows", "Executes a PowerShell script", "Custom multiline PowerShell script should be defined in script property. Optional parameters can be set in parameters property.",
			[]string{"param(", "    [string]$arg1,", "    [string]$arg2", ")", "Write-Host This is a sample script with parameters $arg1 $arg2"}, []any{parameter("arg1"), parameter("arg2")}},
	}
}

func findCommand(id string) (command, bool) {
	for _, c := range commands() {
		if strings.EqualFold(c.id, id) {
			return c, true
		}
	}
	return command{}, false
}

func (c command) document() doc.Object {
	return doc.Object{"$schema": "http://schema.management.azure.com/schemas/2016-11-17/runcommands.json", "id": c.id, "osType": c.os, "label": c.label, "description": c.text}
}

func listCommands(_ *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	rows := []doc.Object{}
	for _, c := range commands() {
		rows = append(rows, c.document())
	}
	return arm.List(r, rows), nil
}

func getCommand(_ *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	c, ok := findCommand(r.Params["command"])
	if !ok {
		return nil, arm.Errorf(http.StatusNotFound, "NotFound", "The run command '%s' was not found.", r.Params["command"])
	}
	body, script := c.document(), []any{}
	for _, line := range c.script {
		script = append(script, line)
	}
	body["script"] = script
	if c.parameters != nil {
		body["parameters"] = c.parameters
	}
	return arm.OK(body), nil
}

var parameterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// commandInput checks the body of a run command: which script, with which parameters.
func commandInput(body doc.Object) (doc.Object, error) {
	id := body.Str("commandId")
	if id == "" {
		return nil, missing("commandId")
	}
	c, ok := findCommand(id)
	if !ok {
		return nil, invalid("commandId", "The value '%s' of parameter 'commandId' is invalid.", id)
	}
	if c.os != "Linux" {
		return nil, invalid("commandId", "The run command '%s' is not supported on a virtual machine with operating system type 'Linux'.", id)
	}
	lines := body.Strings("script")
	if len(lines) == 0 {
		lines = c.script
	}
	parameters := []any{}
	for _, p := range body.List("parameters") {
		if !parameterName.MatchString(p.Str("name")) {
			return nil, invalid("parameters", "The name '%s' of a parameter is invalid.", p.Str("name"))
		}
		parameters = append(parameters, doc.Object{"name": p.Str("name"), "value": p.Str("value")})
	}
	return doc.Object{"script": strings.Join(lines, "\n"), "parameters": parameters}, nil
}

// scriptFile is where the guest finds a script (azure-cli#32286).
const scriptFile = "/var/lib/waagent/run-command/download/0/script.sh"

// wrapScript is what a shell reads to store a script and to become it. Parameters are
// variables by name and arguments in their order; they stand in no process's arguments but
// the script's own. A script without an interpreter is the shell's.
func wrapScript(input doc.Object) string {
	script := input.Str("script")
	end := "END_" + rand.Text()
	lines := []string{"set -e", "umask 077", "mkdir -p " + scriptFile[:strings.LastIndex(scriptFile, "/")],
		"cat > " + scriptFile + " <<'" + end + "'", script, end, "chmod 700 " + scriptFile}
	run := "exec"
	if !strings.HasPrefix(script, "#!") {
		run += " /bin/sh"
	}
	run += " " + scriptFile
	for _, p := range input.List("parameters") {
		lines = append(lines, "export "+p.Str("name")+"="+quote(p.Str("value")))
		run += " " + quote(p.Str("value"))
	}
	return strings.Join(append(lines, run+" </dev/null"), "\n") + "\n"
}

// quote makes one word of the shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
