package contract

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// fact is what a real exchange with Azure looked like; testdata/facts.jsonl has one a line,
// with the public recording that it was taken from.
type fact struct {
	Op         string
	APIVersion string `json:"api_version"`
	Method     string
	Status     int
	Headers    []string
	Keys       []string
}

// held are the headers that the recordings kept.
var held = []string{"azure-asyncoperation", "location", "retry-after", "azure-asyncnotification", "etag", "content-type", "x-ms-failure-cause", "x-ms-ratelimit-remaining-resource"}

// script asks as the recordings did, in plain HTTPS, and strikes out what it has compared.
type script struct {
	*local
	ctx   context.Context
	token string
	facts map[string]fact
	met   map[difference]bool
}

type answer struct {
	*http.Response
	body []byte
}

func (s *script) send(method, url, body string) answer {
	s.t.Helper()
	if !strings.HasPrefix(url, "https://") {
		url = s.Endpoint + url
	}
	req := must[*http.Request](s.t)(http.NewRequestWithContext(s.ctx, method, url, strings.NewReader(body)))
	req.Header.Set("Authorization", "Bearer "+s.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp := must[*http.Response](s.t)(s.tap.Do(req))
	return answer{resp, s.tap.last()}
}

// do asks for the exchange op was recorded of.
func (s *script) do(op, path, body string) answer {
	s.t.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	got := s.send(s.facts[op].Method, path+sep+"api-version="+s.facts[op].APIVersion, body)
	s.compare(op, got)
	return got
}

// settle polls an operation by its status URL until it has succeeded.
func (s *script) settle(from answer) answer {
	s.t.Helper()
	for s.ctx.Err() == nil {
		got := s.send("GET", from.Header.Get("Azure-AsyncOperation"), "")
		var op struct{ Status string }
		if err := json.Unmarshal(got.body, &op); err != nil {
			s.t.Fatalf("poll: %v: %s", err, got.body)
		}
		if op.Status == "Succeeded" {
			return got
		}
		if op.Status != "InProgress" {
			s.t.Fatalf("operation: %s", got.body)
		}
		s.pause()
	}
	s.t.Fatal("the operation does not end")
	return answer{}
}

// succeeded waits until a PATCH, which has no operation, has settled.
func (s *script) succeeded() {
	s.t.Helper()
	for s.ctx.Err() == nil {
		var vm struct {
			Properties struct{ ProvisioningState string }
		}
		if err := json.Unmarshal(s.send("GET", s.vm()+"?api-version=2022-11-01", "").body, &vm); err != nil {
			s.t.Fatal(err)
		}
		if vm.Properties.ProvisioningState == "Succeeded" {
			return
		}
		s.pause()
	}
	s.t.Fatal("the machine does not settle")
}

// hold keeps operations of a kind in progress until the function that it returns is called.
func (s *script) hold(latency string) func() {
	s.run("azure", "local", "set", latency+"=1h")
	return func() { s.run("azure", "local", "set", latency+"=") }
}

// pause keeps polling from eating the processor that the work needs.
func (s *script) pause() {
	select {
	case <-s.ctx.Done():
	case <-time.After(10 * time.Millisecond):
	}
}

// compare holds an answer against its fact: what is missing and what is too much.
func (s *script) compare(op string, got answer) {
	s.t.Helper()
	want, ok := s.facts[op]
	if !ok {
		s.t.Fatalf("no fact is called %s, or it was compared before", op)
	}
	delete(s.facts, op)
	if got.StatusCode != want.Status {
		s.differs(op, fmt.Sprintf("status %d", got.StatusCode), true, false)
		return
	}
	for _, name := range held {
		s.differs(op, name, got.Header.Get(name) != "", slices.Contains(want.Headers, name))
	}
	var body any
	if len(got.body) > 0 {
		if err := json.Unmarshal(got.body, &body); err != nil {
			s.t.Fatalf("%s: %v: %s", op, err, got.body)
		}
	}
	have, recorded := map[string]bool{}, map[string]bool{}
	everyKey(body, "", have)
	for _, key := range want.Keys {
		recorded[key] = true
	}
	for _, from := range []map[string]bool{have, recorded} {
		for key := range from {
			if !strings.Contains(key, "tags") { // the user's, not Azure's
				s.differs(op, key, have[key], recorded[key])
			}
		}
	}
}

// differs reports a difference that is not in the table.
func (s *script) differs(op, what string, here, recorded bool) {
	s.t.Helper()
	if here == recorded {
		return
	}
	sign := "-"
	if here {
		sign = "+"
	}
	found := false
	for _, d := range differences {
		if d.covers(op, sign+what) {
			s.met[d], found = true, true
		}
	}
	if !found {
		s.t.Errorf("%s: %s%s is neither recorded nor listed (- missing here, + missing there)", op, sign, what)
	}
}

// everyKey is like collect, with keys that hold nothing.
func everyKey(v any, path string, into map[string]bool) {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			p := strings.TrimPrefix(path+"."+k, ".")
			into[p] = true
			everyKey(e, p, into)
		}
	case []any:
		for _, e := range x {
			everyKey(e, path+"[]", into)
		}
	}
}

func readFacts(t *testing.T) map[string]fact {
	t.Helper()
	file := must[*os.File](t)(os.Open("testdata/facts.jsonl"))
	defer file.Close()
	facts := map[string]fact{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var f fact
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		facts[f.Op] = f
	}
	if len(facts) != 60 {
		t.Fatalf("%d facts, want the 60 that were recorded", len(facts))
	}
	return facts
}

// TestRecordings goes through the recorded exchanges, op by op.
func TestRecordings(t *testing.T) {
	t.Parallel()
	ctx := within(t)
	l := start(t)
	token, err := l.login(l.secret).GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://management.core.windows.net//.default"}})
	if err != nil {
		t.Fatal(err)
	}
	s := &script{local: l, ctx: ctx, token: token.Token, facts: readFacts(t), met: map[difference]bool{}}
	l.clients().prepare(ctx)
	s.send("DELETE", "/subscriptions/"+l.SubscriptionID+"/resourcegroups/rg?api-version=2021-04-01", "")
	for s.send("GET", "/subscriptions/"+l.SubscriptionID+"/resourcegroups/rg?api-version=2021-04-01", "").StatusCode != http.StatusNotFound {
		s.pause()
	}
	l.run("azure", "local", "set", "retry-after=0s") // Azure's own
	s.groupAndNetwork()
	s.machine()
	s.removal()
	for op := range s.facts {
		t.Errorf("%s was recorded and is not compared", op)
	}
	for _, d := range differences {
		if !s.met[d] {
			t.Errorf("the difference %s %s exists no longer: strike it out", d.ops, d.what)
		}
	}
}

func (s *script) group() string { return "/subscriptions/" + s.SubscriptionID + "/resourcegroups/rg" }
func (s *script) net(name string) string {
	return s.group() + "/providers/Microsoft.Network/" + name
}
func (s *script) vm() string {
	return s.group() + "/providers/Microsoft.Compute/virtualMachines/m"
}

const (
	recordedVNet = "virtualNetworks/vn"
	recordedNSG  = "networkSecurityGroups/n"
	recordedPIP  = "publicIPAddresses/p"
	recordedNIC  = "networkInterfaces/i"
)

func (s *script) groupAndNetwork() {
	s.do("rg.put", s.group(), `{"location":"eastus"}`)
	s.do("rg.head", s.group(), "")
	s.do("rg.get", s.group(), "")
	s.do("rg.patch", s.group(), `{"tags":{"a":"b"}}`)
	s.do("vnet.get.404", s.net(recordedVNet), "")
	s.do("vm.list.group.empty", strings.TrimSuffix(s.vm(), "/m"), "")
	s.compare("vnet.put.poll", s.settle(s.do("vnet.put", s.net(recordedVNet), `{"location":"eastus","properties":{"addressSpace":{"addressPrefixes":["10.1.0.0/16"]}}}`)))
	s.do("vnet.get", s.net(recordedVNet), "")
	s.settle(s.send("PUT", s.net("virtualNetworks/xn?api-version=2024-03-01"), `{"location":"eastus","properties":{"addressSpace":{"addressPrefixes":["10.2.0.0/16"]},"flowTimeoutInMinutes":10}}`))
	s.do("vnet.list.group", s.net("virtualNetworks"), "")
	s.do("vnet.ddosProtectionStatus", s.net("virtualNetworks/xn/ddosProtectionStatus?top=75"), "")
	s.do("vnet.patch", s.net("virtualNetworks/xn"), `{"tags":{"a":"b"}}`)
	s.settle(s.do("vnet.put.inline_subnet", s.net("virtualNetworks/wn"),
		`{"location":"eastus","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]},"subnets":[{"name":"t","properties":{"addressPrefix":"10.0.0.0/24"}}]}}`))
	s.settle(s.do("subnet.put", s.net(recordedVNet)+"/subnets/s", `{"properties":{"addressPrefix":"10.1.10.0/24"}}`))
	s.do("subnet.get", s.net(recordedVNet)+"/subnets/s", "")
	rule := `{"priority":%d,"direction":"Inbound","access":"Allow","protocol":"Tcp","sourceAddressPrefix":"*","sourcePortRange":"*","destinationAddressPrefix":"*","destinationPortRange":"22","description":"x"}`
	s.settle(s.do("nsg.put", s.net(recordedNSG), `{"location":"eastus","properties":{"securityRules":[{"name":"a","properties":`+fmt.Sprintf(rule, 100)+`}]}}`))
	s.do("nsg.get", s.net(recordedNSG), "")
	s.settle(s.do("nsgrule.put", s.net(recordedNSG)+"/securityRules/b", `{"properties":`+strings.Replace(fmt.Sprintf(rule, 200), `,"description":"x"`, "", 1)+`}`))
	s.settle(s.do("pip.put", s.net(recordedPIP), `{"location":"eastus","properties":{"publicIPAllocationMethod":"Static"}}`))
	s.do("pip.get", s.net(recordedPIP), "")
	s.settle(s.do("pip.put.defaults", s.net("publicIPAddresses/q"), `{"location":"eastus"}`))
	s.do("pip.get.dynamic", s.net("publicIPAddresses/q"), "")
	s.settle(s.send("PUT", s.net("networkInterfaces/j?api-version=2024-03-01"), `{"location":"eastus","properties":{"ipConfigurations":[{"name":"c","properties":{"subnet":{"id":"`+s.net(recordedVNet)+`/subnets/s"}}}]}}`))
	s.do("nic.list.group", s.net("networkInterfaces"), "")
	s.settle(s.send("DELETE", s.net("networkInterfaces/j?api-version=2024-03-01"), ""))
	s.settle(s.do("nic.put", s.net(recordedNIC), `{"location":"eastus","properties":{"networkSecurityGroup":{"id":"`+s.net(recordedNSG)+`"},"ipConfigurations":[{"name":"c","properties":{"privateIPAllocationMethod":"Dynamic","publicIPAddress":{"id":"`+
		s.net(recordedPIP)+`"},"subnet":{"id":"`+s.net(recordedVNet)+`/subnets/s"}}}]}}`))
	s.do("nic.get", s.net(recordedNIC), "")
}

func (s *script) recordedVM() string {
	return `{"location":"eastus","tags":{"a":"b"},"properties":{"hardwareProfile":{"vmSize":"Standard_F2s_v2"},"networkProfile":{"networkInterfaces":[{"id":"` + s.net(recordedNIC) + `"}]},` +
		`"osProfile":{"adminUsername":"azureuser","adminPassword":"` + password + `","customData":"` + customData + `","computerName":"m"},"storageProfile":{"imageReference":{"publisher":"Debian","offer":"debian-12","sku":"12-gen2","version":"latest"},` +
		`"osDisk":{"caching":"ReadWrite","createOption":"FromImage","managedDisk":{"storageAccountType":"Standard_LRS"},"name":"d"}}}}`
}

func (s *script) machine() {
	goOn := s.hold("latency.create")
	put := s.do("vm.put", s.vm(), s.recordedVM())
	s.compare("vm.put.poll.inprogress", s.send("GET", put.Header.Get("Azure-AsyncOperation"), ""))
	s.compare("vm.put.poll.inprogress.2", s.send("GET", put.Header.Get("Azure-AsyncOperation"), ""))
	goOn()
	s.compare("vm.put.poll.succeeded", s.settle(put))
	s.do("vm.get", s.vm(), "")
	s.do("vm.get.etag", s.vm(), "")
	s.do("vm.patch.tags", s.vm(), `{"tags":{"tag":"value"}}`)
	s.succeeded()
	s.do("vm.list.group", strings.TrimSuffix(s.vm(), "/m"), "")
	s.do("vm.get.instanceview.running", s.vm()+"?$expand=instanceView", "")
	off := s.do("vm.powerOff", s.vm()+"/powerOff?skipShutdown=false", "")
	s.compare("vm.powerOff.poll.succeeded", s.settle(off))
	s.compare("vm.powerOff.location", s.send("GET", off.Header.Get("Location"), ""))
	s.do("vm.get.instanceview.stopped", s.vm()+"?$expand=instanceView", "")
	s.settle(s.do("vm.start", s.vm()+"/start", ""))
	goOn = s.hold("latency.restart")
	restart := s.do("vm.restart", s.vm()+"/restart", "")
	s.compare("vm.restart.poll.inprogress", s.send("GET", restart.Header.Get("Azure-AsyncOperation"), ""))
	goOn()
	s.settle(restart)
	stop := s.do("vm.deallocate", s.vm()+"/deallocate", "")
	s.settle(stop)
	s.compare("vm.deallocate.location", s.send("GET", stop.Header.Get("Location"), ""))
	s.do("vm.get.instanceview.deallocated", s.vm()+"?$expand=instanceView", "")
	s.settle(s.do("vm.put.update_size", s.vm(), `{"location":"eastus","properties":{"hardwareProfile":{"vmSize":"Standard_B2ms"}}}`))
	s.do("nic.get.attached", s.net(recordedNIC), "")
	s.do("pip.get.attached", s.net(recordedPIP), "")
	s.do("vnet.get.in_use", s.net(recordedVNet), "")
	for _, rule := range []string{"a", "b"} { // the recorded group has none by now
		s.settle(s.send("DELETE", s.net(recordedNSG)+"/securityRules/"+rule+"?api-version=2024-03-01", ""))
	}
	s.do("nsg.get.attached", s.net(recordedNSG), "")
}

func (s *script) removal() {
	goOn := s.hold("latency.delete")
	gone := s.do("vm.delete", s.vm(), "")
	s.compare("vm.delete.poll.inprogress", s.send("GET", gone.Header.Get("Azure-AsyncOperation"), ""))
	goOn()
	s.compare("vm.delete.poll.succeeded", s.settle(gone))
	s.settle(s.send("PUT", s.vm()+"?api-version=2024-11-01", strings.Replace(s.recordedVM(), `"name":"d"`, `"name":"e"`, 1)))
	s.settle(s.do("vm.delete.2", s.vm(), ""))
	s.settle(s.do("nic.delete", s.net(recordedNIC), ""))
	s.settle(s.do("pip.delete", s.net(recordedPIP), ""))
	s.settle(s.do("subnet.delete", s.net(recordedVNet)+"/subnets/s", ""))
	s.settle(s.do("nsg.delete", s.net(recordedNSG), ""))
	s.settle(s.do("vnet.delete", s.net(recordedVNet), ""))
	drop := s.do("rg.delete", s.group(), "")
	for s.ctx.Err() == nil {
		if got := s.send("GET", drop.Header.Get("Location"), ""); got.StatusCode != http.StatusAccepted {
			s.compare("rg.delete.poll", got)
			break
		}
		s.pause()
	}
}
