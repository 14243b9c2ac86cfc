package front

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/throttle"
)

func (h *Handler) enforced() bool { return h.World.Settings.On(fabric.Throttling) }

// countByARM spends from ARM's own buckets, which every request does that has a good token,
// and tells what is left. They are by principal and subscription, or tenant.
func (h *Handler) countByARM(p arm.Principal, r *http.Request, head http.Header) error {
	kind, verb := throttle.ARMWrites, "write"
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		kind, verb = throttle.ARMReads, "read"
	case http.MethodDelete:
		kind, verb = throttle.ARMDeletes, "delete"
	}
	scope, id := "tenant", h.World.Tenant
	if seg := arm.Segments(r.URL.Path); len(seg) > 1 && strings.EqualFold(seg[0], "subscriptions") {
		scope, id = "subscription", strings.ToLower(seg[1])
	}
	own, key := h.World.Settings.Bucket(kind), kind+"/"+id
	levels, short := h.Meter.Spend(h.enforced(),
		throttle.Account{Key: key + "/" + p.ObjectID, Limit: own}, throttle.Account{Key: key, Limit: throttle.Global(own)})
	head.Set("x-ms-ratelimit-remaining-"+scope+"-"+verb+"s", fmt.Sprint(levels[0].Left))
	head.Set("x-ms-ratelimit-remaining-"+scope+"-global-"+verb+"s", fmt.Sprint(levels[1].Left))
	if short < 0 {
		return nil
	}
	wait := h.azures(levels[short].Wait)
	code := map[string]string{"subscription": "SubscriptionRequestsThrottled", "tenant": "TenantRequestsThrottled"}[scope]
	e := arm.Gatewayf(http.StatusTooManyRequests, code,
		"Number of '%s' requests for %s '%s' actor '%s' exceeded. Please try again after '%d' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information.",
		verb, scope, id, p.ObjectID, int(wait.Seconds()))
	e.Header = throttle.WaitHeader(h.World.Settings.Scale(wait))
	return e
}

// azures is a wait in Azure's time, in the whole seconds of which headers speak.
func (h *Handler) azures(wait time.Duration) time.Duration {
	return time.Duration(math.Ceil(wait.Seconds()*h.World.Settings.Clock())) * time.Second
}

// countByProvider spends from the buckets of the provider that a request is handed to.
func (h *Handler) countByProvider(t *fabric.Tx, r *arm.Request, action string, head http.Header) error {
	switch id := arm.ParseID(r.ID); strings.ToLower(id.Namespace) {
	case "microsoft.compute":
		return h.countByCompute(t, r, id, head)
	case "microsoft.network":
		return h.countByNetwork(r, id, action)
	}
	return nil
}

func (h *Handler) countByNetwork(r *arm.Request, id arm.ID, action string) error {
	name := throttle.NetworkWrites
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		name = throttle.NetworkReads
	}
	limit := h.World.Settings.Bucket(name)
	levels, short := h.Meter.Spend(h.enforced(), throttle.Account{Key: name + "/" + strings.ToLower(id.Subscription), Limit: limit})
	if short < 0 {
		return nil
	}
	if action == "" {
		action = "Microsoft.Network/locations/operations/read"
	}
	wait := h.azures(levels[0].Wait)
	e := arm.Gatewayf(http.StatusTooManyRequests, "ResourceRequestsThrottled",
		"Number of requests for action '%s' exceeded the limit of '%d' for time interval '00:05:00'. Please try again after '%d' seconds.",
		action, limit.Size, int(wait.Seconds()))
	e.Header = throttle.WaitHeader(h.World.Settings.Scale(wait))
	return e
}

// countByCompute spends from Compute's buckets: those of a region and those of a machine.
// ARM answers by itself for a machine that does not exist.
func (h *Handler) countByCompute(t *fabric.Tx, r *arm.Request, id arm.ID, head http.Header) error {
	_, rest, _ := strings.Cut(strings.ToLower(r.Path), "/microsoft.compute/")
	policy, perVM := throttle.Compute(r.Method, arm.Segments(rest))
	if policy == "" {
		return nil
	}
	vm, region, ok := computeTarget(t, r, policy)
	if !ok {
		return nil
	}
	key := strings.ToLower(id.Subscription) + "/" + region
	groups := []string{policy + "SubscriptionMaximum"}
	accounts := []throttle.Account{{Key: policy + "/" + key, Limit: h.World.Settings.Bucket(policy)}}
	if perVM {
		groups = append(groups, policy+"Resource")
		accounts = append(accounts, throttle.Account{Key: policy + arm.Key(vm), Limit: h.World.Settings.Bucket(policy + throttle.PerVM)})
	}
	levels, short := h.Meter.Spend(h.enforced(), accounts...)
	if short >= 0 {
		return h.refusedByCompute(groups[short], accounts[short].Limit, levels[short])
	}
	three, thirty := throttle.Old(policy)
	old, _ := h.Meter.Spend(false, throttle.Account{Key: policy + "3Min/" + key, Limit: three}, throttle.Account{Key: policy + "30Min/" + key, Limit: thirty})
	if r.APIVersion < "2024" {
		groups, levels = []string{policy + "3Min", policy + "30Min"}, old
	}
	var left []string
	for i, group := range groups {
		left = append(left, fmt.Sprintf("Microsoft.Compute/%s;%d", group, levels[i].Left))
	}
	head.Set("x-ms-ratelimit-remaining-resource", strings.Join(left, ","))
	return nil
}

func (h *Handler) refusedByCompute(group string, limit throttle.Limit, level throttle.Level) error {
	settings, now := h.World.Settings, h.World.Now()
	wait := max(settings.Time(fabric.ComputeThrottle), settings.Scale(h.azures(level.Wait)))
	return throttle.ByCompute(throttle.Refused{Group: group, Start: level.Since, End: now.Add(wait),
		Allowed: limit.Refill, Measured: level.Asked}, wait)
}

// computeTarget finds the machine and the region that a request is about.
func computeTarget(t *fabric.Tx, r *arm.Request, policy string) (vm, region string, ok bool) {
	switch policy {
	case throttle.HighCostGet:
		return "", strings.ToLower(r.Params["location"]), true
	case throttle.GetOperation:
		op := t.Operation(r.Params["operation"])
		if op == nil {
			return "", "", false
		}
		return op.Target, op.Location, true
	}
	vm = machineOf(r.ID)
	if d := t.Peek(vm); d != nil {
		return vm, d.Body.Str("location"), true
	}
	return vm, strings.ToLower(strings.ReplaceAll(r.Body.Str("location"), " ", "")), r.Method == http.MethodPut
}

// machineOf cuts an id behind the machine's name.
func machineOf(id string) string {
	seg := arm.Segments(id)
	return "/" + strings.Join(seg[:min(len(seg), 8)], "/")
}
