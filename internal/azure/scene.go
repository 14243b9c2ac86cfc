package azure

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"mngr/internal/plain"
)

// scene is where something failed, for what a user is told: a region and a group to look
// at, a provider to configure.
type scene struct {
	provider, prepare, login    string
	subscription, group, portal string
	region, size                string
	requested                   bool // region and size are those asked for, not the instance's usual ones
	fallbacks                   bool // some are configured
}

// scene is the instance as configured; where more is known, at adds it.
func (p *Provider) scene() scene {
	sc := scene{
		fallbacks: len(p.settings.FallbackVMSizes)+len(p.settings.FallbackRegions) > 0,
		provider:  p.settings.Name, prepare: p.prepareCommand(), login: "az login", group: p.settings.ResourceGroup,
		subscription: p.settings.SubscriptionID, region: normalRegion(p.settings.Region), portal: "https://portal.azure.com/" + quotasPage,
	}
	switch p.settings.Cloud {
	case CloudUSGov:
		sc.portal = "https://portal.azure.us/" + quotasPage
	case CloudChina:
		sc.portal = "https://portal.azure.cn/" + quotasPage
	case CloudLocal:
		sc.login = "mngr azure local up"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		sc.subscription = p.current.subscription
	}
	return sc
}

// quotasPage is the portal's page that shows quotas and takes requests for more.
const quotasPage = "#view/Microsoft_Azure_Capacity/QuotaMenuBlade/~/myQuotas"

// at is the scene of one machine's request.
func (sc scene) at(region, size string) scene {
	sc.region, sc.size, sc.requested = region, size, true
	return sc
}

// Facts in ARM's messages. They go into commands, so that they match nothing else than
// names.
var (
	inLocation = regexp.MustCompile(`(?i)\blocation(?:: | ')([a-z0-9]+)`)
	ofSize     = regexp.MustCompile(`\b((?:Standard|Basic)_[A-Za-z0-9_-]+)`)
	byAction   = regexp.MustCompile(`perform action(?:\(s\))? '([A-Za-z0-9./,* ]+)'`)
	linked     = regexp.MustCompile(`does not have permission to perform action(?:\(s\))? '([A-Za-z0-9./,*]+)'`)
	onLinked   = regexp.MustCompile(`linked scope\(s\) '([A-Za-z0-9./,_() -]+)`)
	objectID   = regexp.MustCompile(`object id '([0-9a-fA-F-]{36})'`)
	isLocked   = regexp.MustCompile(`locked: '([A-Za-z0-9./_() -]+)'`)
	ofTenant   = regexp.MustCompile(`tenant '?https://sts\.windows\.net/([0-9a-fA-F-]{36})`)
	ofQuota    = regexp.MustCompile(`exceeding approved (.+?) quota`)
	quotaLimit = regexp.MustCompile(`Current Limit: (\d+)`)
	quotaUsage = regexp.MustCompile(`Current Usage: (\d+)`)
	quotaNeeds = regexp.MustCompile(`Additional Required: (\d+)`)
	moreThan   = regexp.MustCompile(`more than (\d+)`)
)

// values are what stands for the words in capitals. ARM's own word on a region and a
// size counts, then the request's; an instance's usual region is a guess that helps.
func (sc scene) values(e armError) map[string]string {
	find := func(pattern *regexp.Regexp) string {
		if m := pattern.FindStringSubmatch(e.message); m != nil {
			return m[1]
		}
		return ""
	}
	v := map[string]string{
		"PROVIDER": sc.provider, "PREPARE": sc.prepare, "LOGIN": sc.login, "GROUP": sc.group,
		"SUBSCRIPTION": sc.subscription, "PORTAL": sc.portal,
		"ACTION": cmp.Or(find(linked), find(byAction)), "OBJECT": find(objectID), "TENANT": find(ofTenant),
		"SCOPE": cmp.Or(find(onLinked), find(isLocked)), "POLICY": e.policy,
		"QUOTA": find(ofQuota), "LIMIT": cmp.Or(find(quotaLimit), find(moreThan)), "USAGE": find(quotaUsage), "NEEDED": find(quotaNeeds),
		"REGION": cmp.Or(e.region, find(inLocation), sc.region), "SIZE": cmp.Or(find(ofSize), sc.size),
	}
	if sc.requested {
		v["REGION"], v["SIZE"] = cmp.Or(sc.region, v["REGION"]), cmp.Or(sc.size, v["SIZE"])
	}
	v["FALLBACK"] = sc.fallback(v["SIZE"], v["REGION"])
	if len(e.details) > 0 && v["QUOTA"] == "" {
		v["QUOTA"] = plain.Line(e.details[0].Target, 80)
	}
	if wait, ok := asksToWait(e); ok {
		v["WAIT"] = strconv.Itoa(int(wait.Round(time.Second) / time.Second))
	}
	return v
}

// fallback is the command that makes the next create succeed where this one found no
// capacity; where sizes are configured already, the one that shows which others there are.
func (sc scene) fallback(size, region string) string {
	switch {
	case sc.provider == "":
		return ""
	case sc.fallbacks:
		return "az vm list-skus --location " + asWord("", region) + " --resource-type virtualMachines --output table"
	case strings.EqualFold(size, "Standard_D2s_v5"):
		return "mngr config set providers." + sc.provider + ".fallback_vm_sizes Standard_D2as_v5"
	}
	return "mngr config set providers." + sc.provider + ".fallback_vm_sizes Standard_D2s_v5"
}

var placeholder = regexp.MustCompile(`\b(FALLBACK|PROVIDER|PREPARE|LOGIN|GROUP|SUBSCRIPTION|PORTAL|ACTION|OBJECT|TENANT|SCOPE|POLICY|QUOTA|LIMIT|USAGE|NEEDED|REGION|SIZE|WAIT)\b`)

// fill replaces the words in capitals; ok is false where one is not known. Causes speak
// of an unknown size and region in general, commands cannot.
func fill(text string, values map[string]string, write func(name, value string) string) (filled string, ok bool) {
	ok = text != ""
	filled = placeholder.ReplaceAllStringFunc(text, func(name string) string {
		word := write(name, values[name])
		ok = ok && word != ""
		return word
	})
	return filled, ok
}

func asItIs(name, value string) string {
	switch {
	case value != "":
		return value
	case name == "SIZE":
		return "this size"
	case name == "REGION":
		return "the region"
	case name == "SUBSCRIPTION":
		return "of this id"
	}
	return ""
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9._/:@=#~-]+$`)

// asWord is one word of a shell line; PREPARE, LOGIN and FALLBACK are commands.
func asWord(name, value string) string {
	if value == "" || slices.Contains([]string{"PREPARE", "LOGIN", "FALLBACK"}, name) || plainWord.MatchString(value) {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
