package azure

import (
	"encoding/json"
	"testing"
)

// The youngest entry about a machine's power tells why it is down.
func TestEvictedLast(t *testing.T) {
	const vm = "Microsoft.Compute/virtualMachines/"
	entry := func(operation, status, at string) string {
		return `{"operationName":{"value":"` + operation + `"},"status":{"value":"` + status + `"},"eventTimestamp":"2026-11-22T04:00:` + at + `Z"}`
	}
	tests := map[string]struct {
		log  []string
		want bool
	}{
		"nothing":               {nil, false},
		"evicted":               {[]string{entry("EvictSpotVM", "Succeeded", "09.1"), entry(vm+"start/action", "Succeeded", "01")}, true},
		"another name":          {[]string{entry(vm+"evictSpotVM/action", "Accepted", "09")}, true},
		"in any order":          {[]string{entry(vm+"start/action", "Succeeded", "01"), entry("EvictSpotVM", "Succeeded", "09")}, true},
		"started since":         {[]string{entry(vm+"start/action", "Succeeded", "10"), entry("EvictSpotVM", "Succeeded", "09")}, false},
		"idle since":            {[]string{entry(vm+"deallocate/action", "Accepted", "10"), entry("EvictSpotVM", "Succeeded", "09")}, false},
		"a start that failed":   {[]string{entry(vm+"start/action", "Failed", "10"), entry("EvictSpotVM", "Succeeded", "09")}, true},
		"tags written since":    {[]string{entry("Microsoft.Resources/tags/write", "Succeeded", "10"), entry("EvictSpotVM", "Succeeded", "09")}, true},
		"deallocated by itself": {[]string{entry(vm+"deallocate/action", "Succeeded", "10")}, false},
	}
	for name, test := range tests {
		var log []activity
		for _, text := range test.log {
			var a activity
			if err := json.Unmarshal([]byte(text), &a); err != nil {
				t.Fatal(err)
			}
			log = append(log, a)
		}
		if got := evictedLast(log); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
