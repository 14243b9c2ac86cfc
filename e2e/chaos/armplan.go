package chaos

import "strings"

// plan lets every trouble come to every call; what an operator does after it goes round.
func plan(all []verb, calls map[string][]call) []attempt {
	var out []attempt
	for _, v := range all {
		turn := 0
		for _, c := range calls[v.name] {
			for _, t := range troubles() {
				if t.needs != nil && !t.needs(c) {
					continue
				}
				out = append(out, attempt{v, c, t, v.ways[turn%len(v.ways)]})
				turn++
			}
		}
	}
	return out
}

// bounded chooses for each verb three kinds of trouble, another three for the next, and of
// each kind one call: a write where there is one.
func bounded(all []attempt) []attempt {
	const kinds = 3
	var out []attempt
	for i, v := range names1(all) {
		some := troubles()
		for k := range kinds {
			t := some[(i*kinds+k)%len(some)]
			if one, ok := choose(all, v, t, i+k); ok {
				out = append(out, one)
			}
		}
	}
	return out
}

func names1(all []attempt) []string {
	var out []string
	for _, a := range all {
		if len(out) == 0 || out[len(out)-1] != a.verb.name {
			out = append(out, a.verb.name)
		}
	}
	return out
}

// choose picks one of the attempts with a verb and a trouble; turn decides which.
func choose(all []attempt, verb string, t trouble, turn int) (attempt, bool) {
	var writes, any []attempt
	for _, a := range all {
		if a.verb.name != verb || a.trouble.name != t.name {
			continue
		}
		any = append(any, a)
		if a.call.write {
			writes = append(writes, a)
		}
	}
	if len(writes) > 0 {
		any = writes
	}
	if len(any) == 0 {
		return attempt{}, false
	}
	return any[turn%len(any)], true
}

// matching are the attempts whose names begin so, with every way where none is named.
func matching(all []attempt, begin string) []attempt {
	var out []attempt
	for _, a := range all {
		for _, w := range a.verb.ways {
			a.way = w
			if strings.HasPrefix(a.String(), begin) {
				out = append(out, a)
			}
		}
	}
	return out
}
