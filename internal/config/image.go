package config

import (
	"errors"
	"fmt"

	"github.com/distribution/reference"

	"mngr/internal/agent"
)

// CheckImage refuses, as a usage error, what docker run would not take for an image's name,
// id or digest.
func CheckImage(name string) error {
	if f := containerImage(name); f != nil {
		return agent.Errorf(agent.KindUsage, "%s", f.cause).WithHint("%s", f.hint)
	}
	return nil
}

// containerImage asks docker's own grammar.
func containerImage(s string) *fault {
	_, err := reference.ParseAnyReference(s)
	if err == nil {
		return nil
	}
	cause := fmt.Sprintf("%q is no container image", s)
	if errors.Is(err, reference.ErrNameContainsUppercase) {
		cause += ": the name of its repository has capital letters"
	}
	return &fault{cause, "write NAME:TAG as for docker run, for example debian:bookworm-slim or ghcr.io/me/tools:1"}
}
