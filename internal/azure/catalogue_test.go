package azure

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Every code that Azure is known to answer with has a cause of its own and a remedy: one
// line for a shell with nothing left to be filled in. The golden file is what users read.
func TestCatalogue(t *testing.T) {
	known, err := os.ReadFile("testdata/codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	for code := range strings.Lines(string(known)) {
		code = strings.TrimSpace(code)
		if _, ok := byCode[strings.ToLower(code)]; !ok && !strings.HasPrefix(code, "#") {
			t.Errorf("%s is not in the catalogue", code)
		}
	}
	if len(byCode) != len(catalogue) {
		t.Errorf("%d answers for %d codes: one stands there twice", len(catalogue), len(byCode))
	}
	var table strings.Builder
	for _, a := range catalogue {
		code, variant, _ := strings.Cut(a.code, "/")
		e := armError{status: 409, code: code, message: "The words of Azure. More words.", correlation: "CORRELATION"}
		said := map[string]string{
			"quota": "exceeding approved Total Regional Cores quota. Current Limit: 4, Current Usage: 3, Additional Required: 2,",
			"busy":  "already in progress", "roles": "perform action 'Microsoft.Authorization/roleAssignments/write'", "generation": "cannot boot Hypervisor Generation '2'",
		}[variant]
		switch {
		case variant == "throttled":
			e.details = []errorDetail{{Code: "TooManyRequests", Target: "HighCostGet"}}
		case said != "":
			e.message = said
		case variant != "":
			e.target = variant
		}
		got := testScene().explain(e)
		if e.answer().code != a.code || got.Kind != a.kind {
			t.Errorf("%s is answered as %s", a.code, e.answer().code)
		}
		checkRemedy(t, a.code, got.Hint)
		if a.cause == "" && !strings.HasPrefix(got.Cause, "The words of Azure (") {
			t.Errorf("%s: %q", a.code, got.Cause)
		}
		fmt.Fprintf(&table, "%s\n  %s: %s\n  hint: %s\n", a.code, got.Kind, got.Cause, got.Hint)
	}
	goldenText(t, "catalogue.txt", table.String())
}

// checkRemedy wants a line that begins with a program and holds nothing to be replaced.
func checkRemedy(t *testing.T, code, hint string) {
	t.Helper()
	command, _, _ := strings.Cut(hint, " #")
	for one := range strings.SplitSeq(command, "; ") {
		program, _, _ := strings.Cut(one, " ")
		if program != "mngr" && program != "az" && program != "sleep" {
			t.Errorf("%s: %q is no command", code, one)
		}
	}
	if placeholder.MatchString(hint) || strings.ContainsAny(hint, "\n…") || strings.ContainsAny(command, "<>#") || strings.Contains(hint, "||") {
		t.Errorf("%s: something is left to be filled in: %q", code, hint)
	}
}

// What goes into a command is one word of a shell, whatever it is.
func TestFillQuotes(t *testing.T) {
	sc := testScene()
	sc.group = "a'b (c)"
	got := sc.explain(armError{code: "ScopeLocked"})
	if want := `az lock list --resource-group 'a'\''b (c)' --output table`; got.Hint != want {
		t.Errorf("%s, want %s", got.Hint, want)
	}
	if got.Cause != "ScopeLocked" {
		t.Errorf("a cause that cannot be filled: %q", got.Cause)
	}
	if hint := (scene{}).explain(armError{code: "SkuNotAvailable"}).Hint; hint != "" {
		t.Errorf("a remedy that cannot be filled: %q", hint)
	}
}
