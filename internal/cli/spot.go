package cli

import (
	"fmt"

	"mngr/internal/config"
	"mngr/internal/fleet"
)

// explainSpot says what a Spot host is, before one is made.
func (a *App) explainSpot(o fleet.CreateOptions, p config.Provider) {
	if !o.Spot {
		return
	}
	if o.Size == "" {
		a.printer().Note("no size was given: the Spot host gets %s (default_spot_vm_size), since sizes of the B series cannot be Spot",
			p.DefaultSpotVMSize)
	}
	price := "at any price up to the usual one"
	if p.SpotMaxPrice != -1 {
		price = fmt.Sprintf("while it costs at most %v USD an hour (spot_max_price)", p.SpotMaxPrice)
	}
	if p.SpotEvictionPolicy == "Deallocate" {
		a.printer().Warn(fmt.Sprintf("Azure may evict a Spot host at any time, which runs %s; an evicted one keeps its disk, which bills", price),
			fmt.Sprintf("mngr start %s # brings it back when there is room again", o.Name))
		return
	}
	a.printer().Warn(fmt.Sprintf("Azure may evict a Spot host at any time, which runs %s; an evicted host and its work are deleted", price),
		fmt.Sprintf("mngr config set providers.%s.spot_eviction_policy Deallocate # keeps the disk", p.Name))
}
