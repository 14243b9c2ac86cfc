package azlocal

import (
	"fmt"
	"time"

	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/rbac"
)

// age is the setting that is an act: what exists becomes that much older. So a test of
// what happens after an hour need not wait for it.
const age = "age"

// born are the properties that tell when a resource was made, by its type.
func born() map[string][]string {
	return map[string][]string{
		compute.TypeVM:      {"timeCreated"},
		compute.TypeDisk:    {"timeCreated"},
		rbac.TypeAssignment: {"createdOn", "updatedOn"},
	}
}

// grow reads the value of the setting, "" for none.
func grow(value string) (time.Duration, error) {
	if value == "" {
		return 0, nil
	}
	by, err := time.ParseDuration(value)
	if err != nil || by <= 0 {
		return 0, fmt.Errorf("%s is a time such as 45m, not %q", age, value)
	}
	return by, nil
}

// makeOlder moves into the past the times at which resources were made.
func makeOlder(t *fabric.Tx, by time.Duration) {
	for kind, properties := range born() {
		for _, seen := range t.List(kind, "") {
			d := t.Get(seen.ID)
			for _, property := range properties {
				if made, err := time.Parse(time.RFC3339Nano, d.Body.Str("properties", property)); err == nil {
					d.Body.Set(fabric.Timestamp(made.Add(-by)), "properties", property)
				}
			}
			t.Put(d)
		}
	}
}
