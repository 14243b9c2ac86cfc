package imds

import (
	"net/http"
	"slices"
	"strings"

	"mngr/internal/azlocal/doc"
)

// versions are those of the service (specification: imds.json; documentation: supported
// API versions).
func versions() []string {
	return []string{"2017-03-01", "2017-04-02", "2017-08-01", "2017-10-01", "2017-12-01", "2018-02-01", "2018-04-02", "2018-10-01", "2019-02-01", "2019-03-11", "2019-04-30", "2019-06-01", "2019-06-04",
		"2019-08-01", "2019-08-15", "2019-11-01", "2020-06-01", "2020-07-15", "2020-09-01", "2020-10-01", "2020-12-01", "2021-01-01", "2021-02-01", "2021-03-01", "2021-05-01", "2021-10-01",
		"2021-11-01", "2021-11-15", "2021-12-13", "2023-07-01", "2023-11-15", "2024-03-15", "2024-07-17", "2025-04-07"}
}

// since is the first version of what is younger than the service.
func since(path string) string {
	switch path {
	case "loadbalancer":
		return "2020-10-01"
	case "identity/oauth2/token", "identity/info":
		return "2018-02-01"
	}
	return ""
}

// known tells whether a path has an api-version.
func known(version, path string) bool {
	if path == "scheduledevents" {
		return slices.Contains([]string{"2017-03-01", "2017-08-01", "2017-11-01", "2019-01-01", "2019-04-01", "2019-08-01", "2020-07-01"}, version)
	}
	return slices.Contains(versions(), version) && version >= since(path)
}

// methods are what a path may be asked with; nil where nothing is.
func methods(path string) []string {
	switch {
	case path == "scheduledevents":
		return []string{http.MethodGet, http.MethodPost}
	case slices.Contains([]string{"versions", "instance", "identity/oauth2/token", "identity/info", "loadbalancer"}, path), strings.HasPrefix(path, "instance/"):
		return []string{http.MethodGet}
	}
	return nil
}

// check refuses what lacks what every request must have. path is without "metadata", in
// small letters.
func check(w http.ResponseWriter, r *http.Request, path string) (refused bool) {
	identity := strings.HasPrefix(path, "identity/")
	bad := func(plain, code, text string) bool {
		if identity {
			refuseToken(w, code, text)
		} else {
			write(w, http.StatusBadRequest, doc.Object{"error": "Bad request. " + plain})
		}
		return true
	}
	allowed, query := methods(path), r.URL.Query()
	switch {
	case r.Header.Get("X-Forwarded-For") != "":
		return bad("Request is forwarded", "invalid_request", "X-Forwarded-For is not allowed")
	case !strings.EqualFold(r.Header.Get("Metadata"), "true"):
		return bad("Required metadata header not specified", "bad_request_102", "Required metadata header not specified")
	case allowed == nil:
		write(w, http.StatusNotFound, doc.Object{"error": "Not found"})
		return true
	case !slices.Contains(allowed, r.Method):
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		write(w, http.StatusMethodNotAllowed, doc.Object{"error": "Method not allowed"})
		return true
	case path == "versions":
		return false
	}
	for name, values := range query {
		if len(values) > 1 {
			return bad("Query parameter "+name+" is repeated", "invalid_request", "The query parameter '"+name+"' is repeated")
		}
	}
	version := query.Get("api-version")
	switch {
	case known(version, path):
		return false
	case identity && version == "":
		return bad("", "invalid_request", "Required query variable 'api-version' is missing")
	case identity:
		return bad("", "invalid_request", "The api-version '"+version+"' is not supported")
	}
	write(w, http.StatusBadRequest, doc.Object{
		"error":           "Bad request. api-version is invalid or was not specified in the request. For more information refer to aka.ms/azureimds",
		"newest-versions": newest(path)})
	return true
}

// newest are the three versions that a refusal names.
func newest(path string) []string {
	all := slices.DeleteFunc(versions(), func(v string) bool { return !known(v, path) })
	if path == "scheduledevents" {
		all = []string{"2019-04-01", "2019-08-01", "2020-07-01"}
	}
	all = all[len(all)-3:]
	slices.Reverse(all)
	return all
}
