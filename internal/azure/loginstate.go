package azure

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// loginState is what a token on disk depends on besides its scope. Two runs with the
// same state would get a token of the same account.
type loginState struct {
	kind string
	who  string // account, subscription and cloud
	also string // what az writes when it renews its own tokens
}

// readLoginState returns false where tokens are not to be kept.
func readLoginState(place string) (loginState, bool) {
	s := loginState{kind: keptKind()}
	var who []string
	switch s.kind {
	case kindEnvironment:
		for _, name := range []string{
			"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD",
			"AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "AZURE_USERNAME", "AZURE_PASSWORD",
		} {
			who = append(who, os.Getenv(name))
		}
		if path := os.Getenv("AZURE_CLIENT_CERTIFICATE_PATH"); path != "" {
			cert, err := os.ReadFile(path) //nolint:gosec // the user's own environment names it
			if err != nil {
				return s, false
			}
			who = append(who, string(cert))
		}
	case kindDeveloper:
		dir, ok := azDir()
		if !ok {
			return s, false
		}
		profile := fileState(dir, "azureProfile.json")
		if profile == absentFile {
			return s, false // nothing would tell that the account has changed
		}
		who = append(who, dir, profile, fileState(dir, "clouds.config"), fileState(dir, "config"))
		s.also = quoted(fileState(dir, "msal_token_cache.json"), fileState(dir, "msal_token_cache.bin"))
	default:
		return s, false
	}
	s.who = quoted(append(who, place, folded(os.Getenv("AZURE_TOKEN_CREDENTIALS")), os.Getenv("AZURE_AUTHORITY_HOST"))...)
	return s, true
}

// file names the token's file. Secrets are in the name as part of a hash only.
func (s loginState) file(o policy.TokenRequestOptions) string {
	all := quoted(append([]string{"1", s.kind, s.who, s.also, o.TenantID, strconv.FormatBool(o.EnableCAE)}, o.Scopes...)...)
	sum := sha256.Sum256([]byte(all))
	return hex.EncodeToString(sum[:]) + ".json"
}

// quoted joins words so that no two lists look alike.
func quoted(words ...string) string { return fmt.Sprintf("%q", words) }

func folded(s string) string { return strings.ToLower(s) }

const absentFile = "absent"

// fileState changes whenever the file is written or replaced.
func fileState(dir, name string) string {
	info, err := os.Stat(filepath.Join(dir, name))
	if err != nil {
		return absentFile
	}
	return fmt.Sprintf("%d %d %d", info.Size(), info.ModTime().UnixNano(), inode(info))
}

func inode(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}

// azDir is where az keeps its state.
func azDir() (string, bool) {
	if dir := os.Getenv("AZURE_CONFIG_DIR"); dir != "" {
		return dir, true
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".azure"), err == nil
}
