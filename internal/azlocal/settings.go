package azlocal

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/instance"
	"mngr/internal/azlocal/network"
	"mngr/internal/azlocal/rbac"
	"mngr/internal/azlocal/resources"
	"mngr/internal/azlocal/throttle"
)

// registered is the setting that is an act: it changes what is registered now.
const registered = "registered"

func newSettings(inst *instance.Instance) (*fabric.Settings, error) {
	profile, err := fabric.ParseProfile(inst.Profile)
	if err != nil {
		return nil, err
	}
	more := slices.Concat(fabric.Quotas(compute.Limits()), fabric.Quotas(network.Limits()))
	for _, name := range slices.Sorted(maps.Keys(rbac.Limits())) {
		more = append(more, fabric.Number(fabric.QuotaPrefix+name, rbac.Limits()[name], 0, false))
	}
	more = append(more, fabric.Switch(fabric.Throttling, profile == fabric.Realistic), fabric.Number(fabric.PageSize, arm.PageSize, 1, false))
	more = append(more, compute.CapacitySettings()...)
	for _, p := range throttle.Policies() {
		more = append(more, fabric.Number(throttle.Prefix+p.Name, p.Limit.Size, 1, false))
	}
	return fabric.NewSettings(profile, resources.RegionNames(), more, inst.Settings)
}

type settingList struct {
	Settings []fabric.Setting `json:"settings"`
}

func (s *Server) listSettings(*http.Request) (any, error) {
	return settingList{s.world.Settings.All()}, nil
}

func (s *Server) chooseSettings(r *http.Request) (any, error) {
	values, err := read[map[string]string](r)
	if err != nil {
		return nil, err
	}
	act, acts := values[registered]
	delete(values, registered)
	if acts && act != "true" && act != "false" {
		return nil, fmt.Errorf("%s is true or false, not %q", registered, act)
	}
	older, err := grow(values[age])
	if err != nil {
		return nil, err
	}
	delete(values, age)
	if err := s.world.Settings.Choose(values); err != nil {
		return nil, err
	}
	return nil, s.world.Update(func(t *fabric.Tx) error {
		if acts {
			resources.SetRegistered(t, act == "true")
		}
		if older > 0 {
			makeOlder(t, older)
		}
		return s.compute.Reclaim(t)
	})
}

func newSet() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set [KEY=VALUE...]",
		Short: "Set how slow the local Azure is and how much it gives; without arguments, show it",
		Long: `Set how slow the local Azure is and how much it gives. KEY= brings back the default.
The settings stay until they are changed.

  clock=60                Azure's durations pass 60 times as fast
  latency.create=3m       how long an operation takes; without arguments, all are listed
  role-propagation=2m     until a new role assignment counts
  role-removal=2m         until a removed role assignment ceases to count
  directory-replication=1m
                          until a new identity can be given a role without its type
  token-lifetime=10m      of the access tokens for a client secret
  registration=30s        from register until a resource provider is Registered
  registered=false        make all resource providers NotRegistered now (true: Registered)
  age=45m                 what exists is that much older now: machines, disks, assignments
  eviction-notice=5s      from the notice of an eviction until the machine goes
  nic-reservation=180s    how long an interface stays reserved after a refused create
  page-size=100           rows on a page of a list
  quota.cores=4           cores in a region; likewise quota.spot, quota.publicIPs and each
                          family, as in quota.standardBSFamily
  quota.cores@eastus=0    the same in one region only
  capacity.Standard_B2s=none
                          no more machines of the size; a number: so many fit. none refuses
                          at once; allocation, zonal, overconstrained when the operation
                          runs; 3:allocation joins both. Spot machines that fit no more go
  restriction.Standard_B2s=NotAvailableForSubscription
                          the subscription may not use the size; or QuotaId
  quota.roleAssignments   role assignments in the subscription; likewise quota.customRoles
  throttling=on           whether too many requests are refused; they are always counted
  throttle.PutVM.vm=2     the size of a bucket of requests; it refills in proportion`,
		Example: "  mngr azure local set quota.cores=4 quota.spot=0\n  mngr azure local set role-propagation=2m\n  mngr azure local set quota.cores=",
	}
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return set(cmd, args)
		}
		var all settingList
		if err := ask(cmd, "GET", "/settings", nil, &all); err != nil {
			return err
		}
		return emit(cmd.OutOrStdout(), *format, all, all.Settings, all.print)
	}
	return cmd
}

// set changes the daemon's settings, and the instance's for the next start.
func set(cmd *cobra.Command, args []string) error {
	values := map[string]string{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return &Problem{Cause: fmt.Sprintf("%q is not KEY=VALUE", arg), Remedy: "mngr azure local set --help", Misuse: true}
		}
		values[name] = value
	}
	if err := ask(cmd, "POST", "/settings", values, nil); err != nil {
		return err
	}
	inst, err := load()
	if err != nil {
		return err
	}
	delete(values, registered)
	delete(values, age)
	if inst.Settings == nil {
		inst.Settings = map[string]string{}
	}
	for name, value := range values { // names have no case
		maps.DeleteFunc(inst.Settings, func(old, _ string) bool { return strings.EqualFold(old, name) })
		if value != "" {
			inst.Settings[name] = value
		}
	}
	return inst.Save()
}

func (l settingList) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "SETTING\tVALUE\t")
	for _, s := range l.Settings {
		note := ""
		if !s.Default {
			note = "set"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", s.Name, s.Value, note)
	}
	return t.Flush()
}
