package agent

import (
	"encoding/hex"
	"fmt"
	"regexp"

	"github.com/google/uuid"
)

// ID identifies an agent: "agent-" and 32 lower-case hexadecimal digits.
type ID string

// HostID identifies a host: "host-" and 32 lower-case hexadecimal digits.
type HostID string

// NewID returns a random agent id.
func NewID() ID { return ID("agent-" + randomHex()) }

// NewHostID returns a random host id.
func NewHostID() HostID { return HostID("host-" + randomHex()) }

func randomHex() string {
	u := uuid.New()
	return hex.EncodeToString(u[:])
}

var (
	idPattern     = regexp.MustCompile(`^agent-[0-9a-f]{32}$`)
	hostIDPattern = regexp.MustCompile(`^host-[0-9a-f]{32}$`)
)

// ParseID accepts a full agent id and refuses anything else.
func ParseID(s string) (ID, error) {
	if !idPattern.MatchString(s) {
		return "", fmt.Errorf("%q is no agent id (agent- and 32 hexadecimal digits)", s)
	}
	return ID(s), nil
}

// ParseHostID accepts a full host id and refuses anything else.
func ParseHostID(s string) (HostID, error) {
	if !hostIDPattern.MatchString(s) {
		return "", fmt.Errorf("%q is no host id (host- and 32 hexadecimal digits)", s)
	}
	return HostID(s), nil
}
