package hostsetup

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	testToken = "eyJ0eXAi.abc-_~+/=="
	testVM    = "/subscriptions/0-1/resourceGroups/my_group(1)/providers/Microsoft.Compute/virtualMachines/mngr-a-12"
)

// azure plays the metadata service and ARM. Each list holds what is answered next; when it
// is used up the answer is the right one.
type azure struct {
	imds, arm *httptest.Server
	posts     chan string // what ARM got, one line a request

	mu     sync.Mutex
	tokens []reply
	ids    []reply
	starts []reply
}

type reply struct {
	code  int // 0 drops the connection
	body  string
	after string // Retry-After; "" for none
}

func playAzure(t *testing.T) *azure {
	a := &azure{posts: make(chan string, 100)}
	a.imds = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list, good := &a.ids, reply{200, testVM, ""}
		switch {
		case r.Header.Get("Metadata") != "true" || r.Header.Get("X-Forwarded-For") != "":
			list, good = new([]reply), reply{400, `{"error":"Bad request. Required metadata header not specified"}`, ""}
		case r.URL.Path == "/metadata/identity/oauth2/token" && r.URL.Query().Get("resource") == "https://management.azure.com/" &&
			r.URL.Query().Get("api-version") == "2018-02-01":
			body, _ := json.Marshal(map[string]string{"access_token": testToken, "token_type": "Bearer"})
			list, good = &a.tokens, reply{200, string(body), ""}
		case r.URL.Path != "/metadata/instance/compute/resourceId" || r.URL.RawQuery != "api-version=2021-02-01&format=text":
			list, good = new([]reply), reply{404, "not found", ""}
		}
		a.answer(w, list, good)
	}))
	a.arm = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.posts <- r.Method + " " + r.URL.RequestURI() + " " + r.Header.Get("Authorization")
		good := reply{202, "", ""}
		if r.Method == http.MethodGet {
			good.code = 200
		} else if r.Method != http.MethodPost || r.ContentLength != 0 || r.Header.Get("Authorization") != "Bearer "+testToken {
			good = reply{400, "wrong request", ""}
		}
		a.answer(w, &a.starts, good)
	}))
	t.Cleanup(a.imds.Close)
	t.Cleanup(a.arm.Close)
	return a
}

func (a *azure) answer(w http.ResponseWriter, list *[]reply, good reply) {
	a.mu.Lock()
	defer a.mu.Unlock()
	next := good
	if len(*list) > 0 {
		next, *list = (*list)[0], (*list)[1:]
	}
	if next.code == 0 {
		panic(http.ErrAbortHandler)
	}
	if next.after != "" {
		w.Header().Set("Retry-After", next.after)
	}
	w.WriteHeader(next.code)
	_, _ = w.Write([]byte(next.body))
}

// deallocate starts the script on directories made by dirs; what it says is in dir/log. The
// channel is closed when it has ended, which only a test that waits for it may see.
func (a *azure) deallocate(t *testing.T, dir string, env ...string) (ended <-chan struct{}) {
	t.Helper()
	script := a.script(t, dir, env...)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	script.Stdout, script.Stderr = log, log
	script.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := script.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = script.Wait()
	}()
	t.Cleanup(func() {
		// The whole group: sleep and curl are its children.
		_ = syscall.Kill(-script.Process.Pid, syscall.SIGKILL)
		<-over
		log.Close()
		said, _ := os.ReadFile(log.Name())
		if killed := script.ProcessState.Sys().(syscall.WaitStatus).Signaled(); !killed && len(list(t, dir+"/signal"))+len(list(t, dir+"/run/stop")) > 0 {
			t.Error("the script gave up")
		}
		if t.Failed() {
			t.Logf("the script's log:\n%s", said)
		}
	})
	return over
}

// script is the script with an environment of its own.
func (a *azure) script(t *testing.T, dir string, env ...string) *exec.Cmd {
	t.Helper()
	for _, program := range []string{"curl", "timeout", "dd"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("the script needs %s: %v", program, err)
		}
	}
	ca := filepath.Join(dir, "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: a.arm.Certificate().Raw}
	if err := os.WriteFile(ca, pem.EncodeToMemory(block), 0o644); err != nil {
		t.Fatal(err)
	}
	// Should the test be killed, the script ends all the same.
	script := exec.Command("timeout", "--foreground", "300", "sh", "files/deallocate.sh")
	script.Env = append(os.Environ(), "ARM_ENDPOINT="+a.arm.URL, "ARM_AUDIENCE=https://management.azure.com/", "ARM_CACERT="+ca,
		"IMDS_ENDPOINT="+a.imds.URL, "MNGR_SIGNAL_DIR="+dir+"/signal", "MNGR_RUN_DIR="+dir+"/run", "MNGR_STATE_DIR="+dir+"/state",
		"MNGR_DELAYS=0.01", "MNGR_SETTLE_DELAY=0.01", "MNGR_SLOW_DELAY=1000")
	script.Env = append(script.Env, env...)
	return script
}

// dirs makes the machine's directories, with the sentinel of an idle container.
func dirs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"signal", "run", "run/stop", "state"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "signal", "idle"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func list(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	return entries
}

// program puts a program into the script's way and returns the PATH that finds it.
func program(t *testing.T, dir, name, text string) string {
	t.Helper()
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return "PATH=" + bin + ":" + os.Getenv("PATH")
}

// post waits for the next request that ARM gets.
func (a *azure) post(t *testing.T) string {
	t.Helper()
	select {
	case line := <-a.posts:
		return line
	case <-time.After(time.Minute):
		t.Fatal("ARM got no request in a minute")
		return ""
	}
}

func TestDeallocateSurvivesEverything(t *testing.T) {
	a := playAzure(t)
	a.tokens = []reply{
		{400, `{"error":"invalid_request","error_description":"Identity not found"}`, ""}, {404, "", ""}, {410, "retry", ""},
		{429, "", ""}, {500, `{"error":"unknown"}`, ""}, {0, "", ""}, {200, "no json", ""}, {200, `{"access_token":"a\"\nurl = \"http://x"}`, ""},
	}
	a.ids = []reply{
		{429, "", ""}, {500, "", ""}, {0, "", ""}, {200, "", ""}, {200, "/subscriptions/$(touch x)/y", ""}, {200, "/subscriptions/a b", ""},
		{200, "/other/x", ""}, {200, "/subscriptions/a\n/../b?x", ""},
	}
	a.starts = []reply{
		{0, "", ""}, {401, "", ""}, {403, `{"error":{"code":"AuthorizationFailed"}}`, ""}, {404, "", ""}, {409, "", ""}, {429, "", ""}, {500, "", ""}, {503, strings.Repeat("x\x1b", 9000), ""},
	}
	a.deallocate(t, dirs(t))
	want := "POST " + testVM + "/deallocate?api-version=2024-07-01 Bearer " + testToken
	// Eight refusals, then accepted ones: it goes on until the machine is down.
	for i := range 11 {
		if got := a.post(t); got != want {
			t.Fatalf("request %d: got %q, want %q", i, got, want)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if left := len(a.tokens) + len(a.ids) + len(a.starts); left > 0 {
		t.Errorf("%d answers were never met", left)
	}
}

func answers(code, times int) []reply { return slices.Repeat([]reply{{code, "", ""}}, times) }

// The pauses between the tries, as they are in a machine: a sleep of the test's own records
// them and does not wait.
func TestDeallocatePauses(t *testing.T) {
	tests := map[string]struct {
		starts []reply
		env    string
		want   string
	}{
		"role missing":      {answers(403, 9), "X=", "1 2 5 10 20 30 60 60 60 120"},
		"role late":         {answers(403, 3), "X=", "1 2 5 120"},
		"missing for long":  {answers(403, 3), "MNGR_PATIENCE=0", "600 600 600 120"},
		"not a refusal":     {answers(500, 3), "MNGR_PATIENCE=0", "1 2 5 120"},
		"conflict":          {answers(409, 2), "X=", "1 2 120"},
		"throttled":         {[]reply{{429, "", "7"}, {429, "", "1"}, {429, "", "90"}}, "X=", "7 2 90 120"},
		"throttled too far": {[]reply{{429, "", "99999"}}, "X=", "600 120"},
		"throttled, a date": {[]reply{{429, "", "Sun, 22 Nov 2026 04:00:00 GMT"}}, "X=", "1 120"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a, dir := playAzure(t), dirs(t)
			a.starts = test.starts
			path := program(t, dir, "sleep", `echo "$1" >>`+dir+"/sleeps\n")
			a.deallocate(t, dir, path, "MNGR_DELAYS=", "MNGR_SETTLE_DELAY=", "MNGR_SLOW_DELAY=", test.env)
			for range len(test.starts) + 2 { // one that is accepted, and the sleep after it
				a.post(t)
			}
			slept, _ := os.ReadFile(filepath.Join(dir, "sleeps"))
			got := strings.Fields(string(slept))
			if want := strings.Fields(test.want); !slices.Equal(got[:min(len(got), len(want))], want) {
				t.Errorf("pauses %v, want %v", got, want)
			}
		})
	}
}

// When the container is used again before Azure has accepted, nobody wants the machine to
// go, and nothing says later that it went.
func TestDeallocateIsTakenBack(t *testing.T) {
	a, dir := playAzure(t), dirs(t)
	a.starts = answers(403, 1000)
	ended := a.deallocate(t, dir)
	a.post(t)
	if err := os.WriteFile(filepath.Join(dir, "run/stop", CauseAutoShutdown), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "signal", "idle")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		a.post(t) // its time is up all the same
	}
	if err := os.Remove(filepath.Join(dir, "run/stop", CauseAutoShutdown)); err != nil {
		t.Fatal(err)
	}
	for {
		select {
		case <-a.posts:
			continue
		case <-ended:
		}
		break
	}
	if left := list(t, dir+"/state"); len(left) > 0 {
		t.Errorf("the reason stays: %v", left)
	}
	if left := list(t, dir+"/run"); len(left) != 1 {
		t.Errorf("left in run: %v", left)
	}
}

// While Azure refuses, a file says so: what powers a machine off at the end of its time asks
// for it.
func TestDeallocateMarksRefusals(t *testing.T) {
	refusals := map[string]func(a *azure){
		"role missing": func(a *azure) { a.starts = answers(403, 2) },
		"no identity":  func(a *azure) { a.tokens = answers(400, 2) },
	}
	for name, refuse := range refusals {
		t.Run(name, func(t *testing.T) {
			a, dir := playAzure(t), dirs(t)
			refuse(a)
			mark := filepath.Join(dir, "run", FileRefused)
			path := program(t, dir, "sleep", "test -s "+mark+" && echo refused >>"+dir+"/sleeps || echo fine >>"+dir+"/sleeps\n")
			a.deallocate(t, dir, path)
			for !strings.Contains(read(dir+"/sleeps"), "fine") {
				a.post(t)
			}
			if got := read(dir + "/sleeps"); !strings.HasPrefix(got, "refused\nrefused\nfine\n") {
				t.Errorf("marks: %q", got)
			}
		})
	}
}

func read(path string) string {
	content, _ := os.ReadFile(path)
	return string(content)
}

// check asks whether Azure would let the machine deallocate itself, and asks for nothing.
func TestDeallocateCheck(t *testing.T) {
	tests := map[string]struct {
		tokens, starts []reply
		code           int
		says           string
	}{
		"may":            {nil, []reply{{200, `{"name":"x"}`, ""}}, 0, ""},
		"no role":        {nil, answers(403, 1), 1, "the role mngr-self-deallocate is missing or not in effect yet"},
		"no identity":    {answers(400, 1), nil, 1, "the machine has no identity"},
		"metadata fails": {answers(500, 1), nil, 2, ""},
		"ARM fails":      {nil, answers(503, 1), 2, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a, dir := playAzure(t), dirs(t)
			a.tokens, a.starts = test.tokens, test.starts
			script := a.script(t, dir)
			script.Args = append(script.Args, "check")
			out, _ := script.Output()
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			if code := script.ProcessState.ExitCode(); code != test.code || !strings.HasPrefix(lines[len(lines)-1], test.says) {
				t.Errorf("code %d, says %q", code, out)
			}
			if len(test.tokens) > 0 {
				return
			}
			if got, want := a.post(t), "GET "+testVM+"?api-version=2024-07-01 Bearer "+testToken; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// The container may put anything into the signal directory.
func TestDeallocateReason(t *testing.T) {
	tests := map[string]struct {
		make  func(idle string) error
		cause string // in the directory of causes
		want  string // without the first line, which is a time
	}{
		"idle": {
			func(idle string) error { return os.WriteFile(idle, []byte(`{"reason":"idle"}`), 0o600) }, "",
			"cause=idle\ndetail={\"reason\":\"idle\"}\n",
		},
		"control characters": {
			func(idle string) error {
				return os.WriteFile(idle, []byte("a\x1b[31m\ncause=forged\r\x00\x7f\xc2\x9bb"), 0o600)
			}, "",
			"cause=idle\ndetail=a[31mcause=forgedb\n",
		},
		"huge": {
			func(idle string) error { return os.WriteFile(idle, []byte(strings.Repeat("x", 1<<20)), 0o600) }, "",
			"cause=idle\ndetail=" + strings.Repeat("x", 1024) + "\n",
		},
		"link to a secret": {
			func(idle string) error { return os.Symlink("/etc/passwd", idle) }, "",
			"cause=idle\ndetail=\n",
		},
		"pipe": {
			func(idle string) error { return syscall.Mkfifo(idle, 0o600) }, "",
			"cause=idle\ndetail=\n",
		},
		"directory": {
			func(idle string) error { return os.Mkdir(idle, 0o700) }, "",
			"cause=idle\ndetail=\n",
		},
		"dead man": {func(string) error { return nil }, CauseDeadMan, "cause=dead-man\ndetail=\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a, dir := playAzure(t), dirs(t)
			if err := os.Remove(filepath.Join(dir, "signal", "idle")); err != nil {
				t.Fatal(err)
			}
			if err := test.make(filepath.Join(dir, "signal", "idle")); err != nil {
				t.Fatal(err)
			}
			if test.cause != "" {
				if err := os.WriteFile(filepath.Join(dir, "run", "stop", test.cause), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			a.deallocate(t, dir)
			a.post(t)
			content, err := os.ReadFile(filepath.Join(dir, "state", FileStopReason))
			if err != nil {
				t.Fatal(err)
			}
			at, rest, _ := strings.Cut(string(content), "\n")
			if _, err := time.Parse(time.RFC3339, strings.TrimPrefix(at, "at=")); err != nil || rest != test.want {
				t.Errorf("got %.200q", content)
			}
		})
	}
}

// A disk that cannot be written stops nothing.
func TestDeallocateWithoutDisk(t *testing.T) {
	a, dir := playAzure(t), dirs(t)
	if err := os.Remove(filepath.Join(dir, "state")); err != nil {
		t.Fatal(err)
	}
	a.deallocate(t, dir)
	a.post(t)
}

// What a process list shows must not hold the token.
func TestDeallocateHidesToken(t *testing.T) {
	a, dir := playAzure(t), dirs(t)
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Fatalf("the script needs curl: %v", err)
	}
	a.deallocate(t, dir, program(t, dir, "curl", "printf '%s ' \"$@\" >>"+dir+"/argv\nexec "+curl+" \"$@\"\n"))
	a.post(t)
	argv, err := os.ReadFile(filepath.Join(dir, "argv"))
	if err != nil || !strings.Contains(string(argv), "/deallocate?") {
		t.Fatalf("positive control: %v %q", err, argv)
	}
	log, _ := os.ReadFile(filepath.Join(dir, "log"))
	if strings.Contains(string(argv), testToken) || strings.Contains(string(log), testToken) {
		t.Errorf("the token shows: %s\n%s", argv, log)
	}
}
