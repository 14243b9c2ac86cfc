package azure

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"golang.org/x/sync/errgroup"

	"mngr/internal/agent"
)

const (
	// activityVersion is the activity log's api-version (Microsoft.Insights, "Activity Logs - List").
	activityVersion = "2015-04-01"
	// activityKept is how long Azure keeps the log.
	activityKept = 89 * 24 * time.Hour

	// tagStoppedBy says that a user stopped the host.
	tagStoppedBy = "mngr-stopped-by"
)

// activity is one entry of the activity log.
type activity struct {
	Operation struct {
		Value string `json:"value"`
	} `json:"operationName"`
	Status struct {
		Value string `json:"value"`
	} `json:"status"`
	At time.Time `json:"eventTimestamp"`
}

func isSpot(vm *armcompute.VirtualMachine) bool {
	return vm.Properties != nil && vm.Properties.Priority != nil &&
		*vm.Properties.Priority == armcompute.VirtualMachinePriorityTypesSpot
}

// survivesEviction tells a Spot machine that is deallocated, not deleted, when it is evicted.
func survivesEviction(vm *armcompute.VirtualMachine) bool {
	return isSpot(vm) && vm.Properties.EvictionPolicy != nil &&
		*vm.Properties.EvictionPolicy == armcompute.VirtualMachineEvictionPolicyTypesDeallocate
}

// findEvicted tells the evicted among deallocated Spot machines from those that were idle.
// Azure shows both as deallocated; its activity log alone says which. Where that cannot be
// read, or does not say so yet, the host is STOPPED and nobody knows by whom.
func (s *session) findEvicted(ctx context.Context, vms []*armcompute.VirtualMachine, hosts []agent.Host) {
	ctx, done := agent.Within(ctx, agent.DeadlineActivity, "reading the activity log")
	defer done(nil)
	keeps := map[string]bool{}
	for _, vm := range vms {
		if survivesEviction(vm) {
			keeps[strings.ToLower(text(vm.ID))] = true
		}
	}
	var g errgroup.Group
	g.SetLimit(manyViews)
	for i := range hosts {
		h := &hosts[i]
		if h.State != agent.HostStopped || !keeps[strings.ToLower(h.Resource)] || h.Tags[tagStoppedBy] != "" {
			continue
		}
		g.Go(func() error {
			if s.wasEvicted(ctx, h.Resource) {
				h.State = agent.HostEvicted
			}
			return nil
		})
	}
	_ = g.Wait()
}

// wasEvicted reads what happened last to a machine's power.
func (s *session) wasEvicted(ctx context.Context, resource string) bool {
	query := url.Values{
		"api-version": {activityVersion},
		"$filter": {"eventTimestamp ge '" + time.Now().Add(-activityKept).UTC().Format(time.RFC3339) +
			"' and resourceUri eq '" + resource + "'"},
		"$select": {"operationName,status,eventTimestamp"},
	}
	next := s.plain.Endpoint() + s.scope() + "/providers/Microsoft.Insights/eventtypes/management/values?" + query.Encode()
	var log []activity
	for next != "" {
		page, err := s.activities(ctx, next)
		if err != nil {
			return false
		}
		log, next = append(log, page.Value...), page.NextLink
	}
	return evictedLast(log)
}

type activityPage struct {
	Value    []activity `json:"value"`
	NextLink string     `json:"nextLink"`
}

func (s *session) activities(ctx context.Context, link string) (page activityPage, err error) {
	request, err := runtime.NewRequest(ctx, http.MethodGet, link)
	if err != nil {
		return page, err
	}
	response, err := s.plain.Pipeline().Do(request)
	if err != nil {
		return page, err
	}
	if !runtime.HasStatusCode(response, http.StatusOK) {
		return page, runtime.NewResponseError(response)
	}
	return page, runtime.UnmarshalAsJSON(response, &page)
}

// evictedLast tells whether the youngest entry about a machine's power is its eviction
// (EvictSpotVM in "Use Azure Spot Virtual Machines").
func evictedLast(log []activity) bool {
	var last time.Time
	evicted := false
	for _, a := range log {
		operation := strings.ToLower(a.Operation.Value)
		eviction := strings.Contains(operation, "evictspotvm")
		power := eviction || strings.HasSuffix(operation, "/virtualmachines/start/action") ||
			strings.HasSuffix(operation, "/virtualmachines/deallocate/action")
		if power && !strings.EqualFold(a.Status.Value, "Failed") && (a.At.After(last) || eviction && a.At.Equal(last)) {
			last, evicted = a.At, eviction
		}
	}
	return evicted
}
