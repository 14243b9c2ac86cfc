package config

import "strings"

// trail holds, for each key that some layer sets, what every layer says, the weakest
// first: the last one is in force.
type trail map[string][]Value

// note records the value that a key has just got.
func (t trail) note(s *Settings, key string, origin Origin) {
	f, ok := s.find(key, false)
	if !ok {
		return
	}
	t[key] = append(t[key], Value{Key: key, Value: f.read(), Origin: origin})
	name, rest, ok := instanceKey(key)
	if !ok {
		return
	}
	// A cloud is a name or a table; the stronger layer decides, and the other one is gone.
	cloud := "providers." + name + ".cloud"
	switch {
	case rest == "cloud":
		for other := range t {
			if strings.HasPrefix(other, cloud+".") {
				delete(t, other)
			}
		}
	case strings.HasPrefix(rest, "cloud."):
		if last := t[cloud]; len(last) == 0 || last[len(last)-1].Value != CloudCustom {
			t[cloud] = append(t[cloud], Value{Key: cloud, Value: CloudCustom, Origin: origin})
		}
	}
}

// chooseCloud lets the cloud's name and its table exclude each other.
func (p *Provider) chooseCloud(key string) {
	switch {
	case key == "cloud":
		p.Endpoints = Endpoints{}
	case strings.HasPrefix(key, "cloud."):
		p.Cloud = CloudCustom
	}
}
