package cli

import (
	"mngr/internal/agent"
	"mngr/internal/shell"
)

// flatten splits each value like a shell line and returns all words as one list, so that
// one flag may carry several arguments.
func flatten(values []string) ([]string, error) {
	var all []string
	for _, v := range values {
		words, err := shell.Split(v)
		if err != nil {
			return nil, agent.Errorf(agent.KindUsage, "%w", err)
		}
		all = append(all, words...)
	}
	return all, nil
}
