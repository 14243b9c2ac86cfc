package azlocal

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mngr/internal/azlocal/instance"
)

// caller speaks plain HTTPS to a local Azure, as its service principal.
type caller struct {
	t     testing.TB
	inst  *instance.Instance
	http  *http.Client
	token string
}

func newCaller(t testing.TB, inst *instance.Instance) *caller {
	t.Helper()
	pem, err := os.ReadFile(inst.Path("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 64}
	t.Cleanup(tr.CloseIdleConnections)
	c := &caller{t: t, inst: inst, http: &http.Client{Transport: tr, Timeout: time.Minute}}
	secret, err := os.ReadFile(inst.Path("client_secret"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.http.PostForm(inst.Endpoint()+"/"+inst.Tenant+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {inst.ClientID}, "client_secret": {string(secret)},
		"scope": {"https://management.core.windows.net//.default"}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var got struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || got.Token == "" {
		t.Fatalf("no token: %v, %s", err, answer.Status)
	}
	c.token = got.Token
	return c
}

// do sends one request. With an error nobody knows what became of it.
func (c *caller) do(ctx context.Context, method, path string, body any, header ...string) (status int, answer []byte, err error) {
	var sent io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		sent = bytes.NewReader(data)
	}
	target := path
	if !strings.HasPrefix(path, "https:") {
		target = c.inst.Endpoint() + path
	}
	r, err := http.NewRequestWithContext(ctx, method, target, sent)
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.token)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// must sends a request that has to be answered with a 2xx.
func (c *caller) must(method, path string, body any) []byte {
	c.t.Helper()
	status, answer, err := c.do(c.t.Context(), method, path, body)
	if err != nil || status >= 300 {
		c.t.Fatalf("%s %s: %d %v %.300s", method, path, status, err, answer)
	}
	return answer
}

const (
	groupVersion   = "?api-version=2021-04-01"
	networkVersion = "?api-version=2024-05-01"
	computeVersion = "?api-version=2024-07-01"
)

func (c *caller) group() string {
	return "/subscriptions/" + c.inst.Subscription + "/resourceGroups/scale"
}
func (c *caller) vm(name string) string {
	return c.group() + "/providers/Microsoft.Compute/virtualMachines/" + name
}

// prepare makes a group and a network that has room for thousands of machines.
func (c *caller) prepare() {
	c.t.Helper()
	for _, name := range []string{"Microsoft.Network", "Microsoft.Compute"} {
		at := "/subscriptions/" + c.inst.Subscription + "/providers/" + name
		c.must("POST", at+"/register"+groupVersion, nil)
		await(within(c.t), c.t, "registered", func() bool {
			return bytes.Contains(c.must("GET", at+groupVersion, nil), []byte(`"registrationState":"Registered"`))
		})
	}
	c.must("PUT", c.group()+groupVersion, map[string]any{"location": "eastus"})
	c.must("PUT", c.group()+"/providers/Microsoft.Network/virtualNetworks/net"+networkVersion, map[string]any{"location": "eastus", "properties": map[string]any{
		"addressSpace": map[string]any{"addressPrefixes": []string{"10.0.0.0/8"}},
		"subnets":      []any{map[string]any{"name": "sub", "properties": map[string]any{"addressPrefix": "10.0.0.0/16"}}}}})
	c.must("PUT", c.group()+"/providers/Microsoft.Network/networkSecurityGroups/nsg"+networkVersion, map[string]any{"location": "eastus"})
}

// body is a machine as mngr makes it: an inline interface with an address, ten kilobytes
// of custom data that no other machine has, and a dozen tags of up to 256 characters.
func (c *caller) body(name string) map[string]any {
	random := make([]byte, 10<<10)
	for i := range random {
		random[i] = byte(rand.IntN(256))
	}
	tags := map[string]string{"managed-by": "mngr", "mngr-provider": "azure", "mngr-host-id": "host-" + name, "mngr-host-name": "mngr-" + name, "mngr-created-at": "2026-11-22T07:00:00Z",
		"mngr-host-keys":                 "ssh-ed25519 " + base64.StdEncoding.EncodeToString(random[:51]) + ",ssh-ed25519 " + base64.StdEncoding.EncodeToString(random[51:102]),
		"mngr-agent-" + name + "-record": `1:1234abcd:{"name":"` + name + `","type":"command","labels":{"project":"scale","user":"somebody"},"created":"2026-11-22T07:00:00Z"}`}
	for i := len(tags); i < 12; i++ {
		tags[fmt.Sprint("label-", i)] = strings.Repeat("v", 20*i)
	}
	id := func(s string) map[string]any {
		return map[string]any{"id": c.group() + "/providers/Microsoft.Network/" + s}
	}
	return map[string]any{"location": "eastus", "tags": tags, "identity": map[string]any{"type": "SystemAssigned"}, "properties": map[string]any{
		"hardwareProfile": map[string]any{"vmSize": "Standard_B2s"},
		"storageProfile": map[string]any{
			"imageReference": map[string]any{"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"},
			"osDisk":         map[string]any{"name": name + "-os", "createOption": "FromImage", "deleteOption": "Delete", "managedDisk": map[string]any{"storageAccountType": "StandardSSD_LRS"}}},
		"osProfile": map[string]any{"computerName": name, "adminUsername": "mngr", "customData": base64.StdEncoding.EncodeToString(random),
			"linuxConfiguration": map[string]any{"disablePasswordAuthentication": true, "ssh": map[string]any{"publicKeys": []any{map[string]any{
				"path": "/home/mngr/.ssh/authorized_keys", "keyData": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBT2Zlo2pcVuHCZ4cpeZyIrfDZKeO6mAApBl3r2q8f5w mngr"}}}}},
		"networkProfile": map[string]any{"networkApiVersion": "2022-11-01", "networkInterfaceConfigurations": []any{map[string]any{
			"name": "nic", "tags": tags, "properties": map[string]any{"primary": true, "deleteOption": "Delete", "networkSecurityGroup": id("networkSecurityGroups/nsg"),
				"ipConfigurations": []any{map[string]any{"name": "ip", "properties": map[string]any{"subnet": id("virtualNetworks/net/subnets/sub"),
					"publicIPAddressConfiguration": map[string]any{"name": "pip", "tags": tags, "sku": map[string]any{"name": "Standard"}, "properties": map[string]any{
						"publicIPAllocationMethod": "Static", "deleteOption": "Delete"}}}}}}}}},
	}}
}

// create makes machines with numbers from first on, some at once, and waits until no
// operation runs any more.
func (c *caller) create(first, count, inFlight int) {
	c.t.Helper()
	names := make(chan string)
	var wg sync.WaitGroup
	for range inFlight {
		wg.Go(func() {
			for name := range names {
				status, answer, err := c.do(c.t.Context(), "PUT", c.vm(name)+computeVersion, c.body(name), "If-None-Match", "*")
				if err != nil || status != http.StatusCreated {
					c.t.Errorf("create %s: %d %v %.300s", name, status, err, answer)
				}
			}
		})
	}
	for i := range count {
		names <- fmt.Sprintf("mngr-agent-%05d", first+i)
	}
	close(names)
	wg.Wait()
	for i := range count {
		name := c.vm(fmt.Sprintf("mngr-agent-%05d", first+count-1-i))
		for {
			var vm struct {
				Properties struct{ ProvisioningState string }
			}
			if err := json.Unmarshal(c.must("GET", name+computeVersion, nil), &vm); err != nil {
				c.t.Fatal(err)
			}
			if vm.Properties.ProvisioningState == "Succeeded" {
				break
			}
			if c.t.Failed() || vm.Properties.ProvisioningState == "Failed" {
				c.t.Fatalf("machine %s: %+v", name, vm)
			}
		}
	}
}

type page struct {
	Value []json.RawMessage `json:"value"`
	Next  string            `json:"nextLink"`
}

// walk lists all machines page by page and returns how long each took.
func (c *caller) walk() (rows int, times []time.Duration) {
	c.t.Helper()
	next := c.group() + "/providers/Microsoft.Compute/virtualMachines" + computeVersion
	for next != "" {
		began := time.Now()
		data := c.must("GET", next, nil)
		times = append(times, time.Since(began))
		var p page
		if err := json.Unmarshal(data, &p); err != nil {
			c.t.Fatal(err)
		}
		rows, next = rows+len(p.Value), p.Next
	}
	return rows, times
}

// residentMB is the resident memory of a process now and at most, in megabytes.
func residentMB(t testing.TB, pid int) (now, peak float64) {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) float64 {
		_, rest, _ := strings.Cut(string(data), name+":")
		kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		return kb / 1024
	}
	return read("VmRSS"), read("VmHWM")
}

// processorMS is how long a process has had a processor, in milliseconds: the load of the
// computer does not enter into it.
func processorMS(t testing.TB, pid int) float64 {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	ticks := 0.0
	for _, field := range strings.Fields(rest)[11:13] { // utime and stime, in 1/100 s
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return ticks * 10
}

func median(times []time.Duration) time.Duration {
	times = slices.Sorted(slices.Values(times))
	return times[len(times)/2]
}

// BenchmarkScale fills a daemon with machines (MNGR_SCALE of them, else 10,000), lists
// them, kills it and starts it again. Its figures are absolute, but for list/encode: how
// often the time of encoding the same page anew goes into the time of a request for it.
func BenchmarkScale(b *testing.B) {
	count := 10000
	if text := os.Getenv("MNGR_SCALE"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		count = n
	}
	for b.Loop() {
		measureScale(b, count)
	}
}

func measureScale(b *testing.B, count int) {
	p := buildProgram(b)
	p.must("up", "--driver", "none")
	inst, err := instance.Load(p.dir)
	if err != nil {
		b.Fatal(err)
	}
	c := newCaller(b, inst)
	c.prepare()
	began := time.Now()
	c.create(0, count, 50)
	b.ReportMetric(float64(count)/time.Since(began).Seconds(), "creates/s")
	pid := p.pid()
	now, peak := residentMB(b, pid)
	b.ReportMetric(now, "MB-created")
	b.ReportMetric(peak, "MB-peak")

	first := c.group() + "/providers/Microsoft.Compute/virtualMachines" + computeVersion
	data := c.must("GET", first, nil)
	var same []time.Duration
	cpu := processorMS(b, pid)
	for range 30 {
		began := time.Now()
		c.must("GET", first, nil)
		same = append(same, time.Since(began))
	}
	b.ReportMetric((processorMS(b, pid)-cpu)/30, "cpu-ms/page-again")
	rows, each := c.walk()
	if rows != count {
		b.Fatalf("%d machines are listed, want %d", rows, count)
	}
	b.ReportMetric(float64(median(same).Microseconds())/1000, "ms/page-again")
	b.ReportMetric(float64(median(each).Microseconds())/1000, "ms/page-walk")
	var decoded any
	if err := json.Unmarshal(data, &decoded); err != nil {
		b.Fatal(err)
	}
	began = time.Now()
	for range 10 {
		if _, err := json.Marshal(decoded); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(median(same))/(float64(time.Since(began))/10), "list/encode")
	now, peak = residentMB(b, pid)
	b.ReportMetric(now, "MB-listed")
	info, err := os.Stat(inst.Path("store.log"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/(1<<20), "MB-log")
	b.Logf("%d rows a page, %d bytes; peak %.0f MB", count/len(each), len(data), peak)

	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		b.Fatal(err)
	}
	await(b.Context(), b, "died", func() bool { return runningPID(inst.Path("pid")) == 0 })
	began = time.Now()
	p.must("up")
	b.ReportMetric(time.Since(began).Seconds(), "s-restart")
	now, peak = residentMB(b, p.pid())
	b.ReportMetric(now, "MB-restarted")
	b.ReportMetric(peak, "MB-restart-peak")
	if rows, _ := c.walk(); rows != count {
		b.Fatalf("%d machines after a kill, want %d", rows, count)
	}
	p.must("reset", "--force")
}
