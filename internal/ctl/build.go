package ctl

// Build asks for the image of a host, made by docker build on its machine. With Send the
// request is one line, and what follows it on standard input is a gzip-compressed tar stream
// with the directory "context", the file "Dockerfile", and "secret-0" and so on.
type Build struct {
	HostID  string            `json:"host_id"`
	Args    []string          `json:"args,omitempty"`    // of docker build, already checked
	Env     map[string]string `json:"env,omitempty"`     // build arguments that Args name without a value
	Secrets []string          `json:"secrets,omitempty"` // ids, in the order of the stream's files
	Send    bool              `json:"send,omitempty"`    // false: only tell whether the image exists
}

// BuildResult is the answer to OpHostBuild.
type BuildResult struct {
	Built bool `json:"built"` // the image exists, made with these arguments
}

// buildPrefix is a repository that no registry holds: these images are never pulled.
const buildPrefix = "mngr-build-"

// BuiltImage names the image that is built for a host.
func BuiltImage(hostID string) string { return buildPrefix + hostID }

// IsBuiltImage tells whether an image is one that BuiltImage names.
func IsBuiltImage(image string) bool {
	return len(image) > len(buildPrefix) && image[:len(buildPrefix)] == buildPrefix
}
