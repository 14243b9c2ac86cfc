package hostsetup

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
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
	code int // 0 drops the connection
	body string
}

func playAzure(t *testing.T) *azure {
	a := &azure{posts: make(chan string, 100)}
	a.imds = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list, good := &a.ids, reply{200, testVM}
		switch {
		case r.Header.Get("Metadata") != "true" || r.Header.Get("X-Forwarded-For") != "":
			list, good = new([]reply), reply{400, `{"error":"Bad request. Required metadata header not specified"}`}
		case r.URL.Path == "/metadata/identity/oauth2/token" && r.URL.Query().Get("resource") == "https://management.azure.com/" &&
			r.URL.Query().Get("api-version") == "2018-02-01":
			body, _ := json.Marshal(map[string]string{"access_token": testToken, "token_type": "Bearer"})
			list, good = &a.tokens, reply{200, string(body)}
		case r.URL.Path != "/metadata/instance/compute/resourceId" || r.URL.RawQuery != "api-version=2021-02-01&format=text":
			list, good = new([]reply), reply{404, "not found"}
		}
		a.answer(w, list, good)
	}))
	a.arm = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.posts <- r.Method + " " + r.URL.RequestURI() + " " + r.Header.Get("Authorization")
		good := reply{202, ""}
		if r.Method != http.MethodPost || r.ContentLength != 0 || r.Header.Get("Authorization") != "Bearer "+testToken {
			good = reply{400, "wrong request"}
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
	w.WriteHeader(next.code)
	_, _ = w.Write([]byte(next.body))
}

// deallocate starts the script on directories made by dirs; what it says is in dir/log.
func (a *azure) deallocate(t *testing.T, dir string, env ...string) {
	t.Helper()
	for _, program := range []string{"curl", "timeout", "dd"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the script needs %s: %v", program, err)
		}
	}
	ca := filepath.Join(dir, "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: a.arm.Certificate().Raw}
	if err := os.WriteFile(ca, pem.EncodeToMemory(block), 0o644); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	// Should the test be killed, the script ends all the same.
	script := exec.Command("timeout", "--foreground", "300", "sh", "files/deallocate.sh")
	script.Stdout, script.Stderr = log, log
	script.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	script.Env = append(os.Environ(), "ARM_ENDPOINT="+a.arm.URL, "ARM_AUDIENCE=https://management.azure.com/", "ARM_CACERT="+ca,
		"IMDS_ENDPOINT="+a.imds.URL, "MNGR_SIGNAL_DIR="+dir+"/signal", "MNGR_RUN_DIR="+dir+"/run", "MNGR_STATE_DIR="+dir+"/state",
		"MNGR_DELAYS=0.01", "MNGR_SETTLE_DELAY=0.01", "MNGR_SLOW_DELAY=1000")
	script.Env = append(script.Env, env...)
	if err := script.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = script.Wait()
	}()
	t.Cleanup(func() {
		select {
		case <-ended:
			t.Error("the script gave up")
		default:
		}
		// The whole group: sleep and curl are its children.
		_ = syscall.Kill(-script.Process.Pid, syscall.SIGKILL)
		<-ended
		log.Close()
		if said, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("the script's log:\n%s", said)
		}
	})
}

func dirs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"signal", "run", "state"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
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
		{400, `{"error":"invalid_request","error_description":"Identity not found"}`}, {404, ""}, {410, "retry"},
		{429, ""}, {500, `{"error":"unknown"}`}, {0, ""}, {200, "no json"}, {200, `{"access_token":"a\"\nurl = \"http://x"}`},
	}
	a.ids = []reply{
		{429, ""}, {500, ""}, {0, ""}, {200, ""}, {200, "/subscriptions/$(touch x)/y"}, {200, "/subscriptions/a b"},
		{200, "/other/x"}, {200, "/subscriptions/a\n/../b?x"},
	}
	a.starts = []reply{
		{0, ""}, {401, ""}, {403, `{"error":{"code":"AuthorizationFailed"}}`}, {404, ""}, {409, ""}, {429, ""}, {500, ""}, {503, strings.Repeat("x\x1b", 9000)},
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

// After enough time of 403 it asks seldom; other errors keep their pace.
func TestDeallocatePatience(t *testing.T) {
	many := func(code int) (list []reply) {
		for range 50 {
			list = append(list, reply{code, ""})
		}
		return list
	}
	t.Run("403", func(t *testing.T) {
		a := playAzure(t)
		a.starts = many(403)
		a.deallocate(t, dirs(t), "MNGR_PATIENCE=0", "MNGR_DELAYS=1000", "MNGR_SLOW_DELAY=0.01")
		a.post(t)
		a.post(t) // the slow delay, not the thousand seconds
	})
	t.Run("500", func(t *testing.T) {
		a := playAzure(t)
		a.starts = many(500)
		a.deallocate(t, dirs(t), "MNGR_PATIENCE=0", "MNGR_DELAYS=0.01 0.02", "MNGR_SLOW_DELAY=1000")
		for range 4 {
			a.post(t)
		}
	})
}

// The container may put anything into the signal directory.
func TestDeallocateReason(t *testing.T) {
	tests := map[string]struct {
		make  func(idle string) error
		cause string // content of stop-cause
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
		"dead man": {func(string) error { return nil }, "dead-man\n", "cause=dead-man\ndetail=\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a, dir := playAzure(t), dirs(t)
			if err := test.make(filepath.Join(dir, "signal", "idle")); err != nil {
				t.Fatal(err)
			}
			if test.cause != "" {
				if err := os.WriteFile(filepath.Join(dir, "run", "stop-cause"), []byte(test.cause), 0o600); err != nil {
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
		t.Skipf("the script needs curl: %v", err)
	}
	wrapper := "#!/bin/sh\nprintf '%s ' \"$@\" >>" + dir + "/argv\nexec " + curl + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "curl"), []byte(wrapper), 0o755); err != nil {
		t.Fatal(err)
	}
	a.deallocate(t, dir, "PATH="+dir+":"+os.Getenv("PATH"))
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
