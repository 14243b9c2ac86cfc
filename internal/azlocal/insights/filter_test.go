package insights

import (
	"strings"
	"testing"
	"time"

	"mngr/internal/azlocal/activity"
)

const machine = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"

// TestFilter lists what is asked for by whom: the documentation's examples, and what
// azure-cli 2.45 sends.
func TestFilter(t *testing.T) {
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	write := activity.Entry{Time: at, Method: "PUT", Operation: "Microsoft.Compute/virtualMachines/write", Resource: machine, Status: 201, Principal: "p", Correlation: "c"}
	end := activity.Entry{Time: at, Operation: write.Operation, Resource: machine, Ended: activity.Failed, Correlation: "c"}
	const from = "eventTimestamp ge '2026-01-31T11:00:00Z'"
	for text, want := range map[string][2]bool{ // write, end; no entry where it is refused
		from: {true, true},
		from + " and eventTimestamp le '2026-01-31T12:00:00.0000000Z'":                           {true, true},
		from + " and eventTimestamp le '2026-01-31T11:59:59Z'":                                   {},
		"eventTimestamp ge 2026-01-31T11:00:00.123456 and eventTimestamp le 2026-01-31T13:00":    {false, false},
		"eventTimestamp ge 2026-01-31T11:00:00.123456 and eventTimestamp le 2026-01-31T13:00:00": {true, true},
		from + " and resourceGroupName eq 'RG'":                                                  {true, true},
		from + " and resourceGroupName eq 'other'":                                               {},
		from + " and resourceUri eq '" + strings.ToUpper(machine) + "'":                          {true, true},
		from + " and resourceId eq '" + machine + "'":                                            {true, true},
		from + " and resourceProvider eq 'microsoft.compute'":                                    {true, true},
		from + " and resourceProvider eq 'Microsoft.Network'":                                    {},
		from + " and correlationId eq 'c' and status eq 'Failed'":                                {false, true},
		from + " and caller eq 'p'":                                                              {true, false},
		from + " and eventChannels eq 'Admin, Operation' and status eq 'Accepted'":               {true, false},
	} {
		f, err := parse(text)
		if strings.HasSuffix(text, "T13:00") {
			if err == nil {
				t.Errorf("%s: accepted", text)
			}
			continue
		}
		if err != nil || f.keeps(write) != want[0] || f.keeps(end) != want[1] {
			t.Errorf("%s: %v, %v, %v", text, err, f.keeps(write), f.keeps(end))
		}
	}
	for _, text := range []string{"", "resourceUri eq 'x'", from + " or caller eq 'p'", from + " and", from + " and level eq 'Error'", from + " and caller ge 'p'", "eventTimestamp ge 'yesterday'", from + "x"} {
		if _, err := parse(text); err == nil {
			t.Errorf("%q: accepted", text)
		}
	}
	all, _ := parse(from)
	for _, e := range []activity.Entry{
		{Time: at, Method: "GET", Operation: "Microsoft.Compute/virtualMachines/read", Resource: machine, Status: 200},
		{Time: at, Method: "POST", Operation: "entra:token", Status: 200},
		{Time: at, Operation: "azlocal:kill-machine", Resource: machine, Ended: activity.Succeeded},
	} {
		if all.keeps(e) {
			t.Errorf("shown: %+v", e)
		}
	}
}

func FuzzFilter(f *testing.F) {
	f.Add("eventTimestamp ge '2026-01-31T11:00:00Z' and resourceUri eq '" + machine + "'")
	f.Add("eventTimestamp ge 2026-01-31 and caller eq ''")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := parse(text); err == nil && got.from.IsZero() {
			t.Errorf("%q: a filter without a start", text)
		}
	})
}

// TestEvent has the keys of the specification's EventData, and no others.
func TestEvent(t *testing.T) {
	e := activity.Entry{Time: time.Unix(0, 0), Method: "PUT", Operation: "Microsoft.Compute/virtualMachines/write", Resource: machine, Status: 409, Code: "Conflict", Principal: "p"}
	got := event("s", "t", e)
	if got.Str("status", "value") != "Failed" || got.Str("level") != "Error" || got.Str("resourceProviderName", "value") != "Microsoft.Compute" ||
		got.Str("properties", "statusMessage") != `{"error":{"code":"Conflict"}}` || got.Str("subStatus", "localizedValue") != "Conflict (HTTP Status Code: 409)" {
		t.Errorf("%v", got)
	}
	if few := chosen(got, "eventTimestamp , operationName,unheard"); len(few) != 2 || few.Str("operationName", "value") != e.Operation {
		t.Errorf("selected: %v", few)
	}
}
