package fault

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
)

// Deliver sends the answer that write makes, in the way that the fault allows. It does not
// return where that way is to cut the connection.
func (h *Hit) Deliver(w http.ResponseWriter, write func(http.ResponseWriter)) {
	switch {
	case h.Is(Refuse) && h.Rule.HTML:
		h.page(w)
	case h.Is(DropDuring, InvalidJSON):
		h.half(w, write)
	default:
		write(w)
	}
}

// half sends the first half of a body. Where the connection is cut, the header promises
// all of it.
func (h *Hit) half(w http.ResponseWriter, write func(http.ResponseWriter)) {
	whole := &buffer{ResponseWriter: w, status: http.StatusOK}
	write(whole)
	body := whole.body.Bytes()
	promised, sent := len(body), body[:len(body)/2]
	if h.Is(DropDuring) {
		promised = max(promised, 1) // of an answer without a body, the end is missing as well
	} else if promised = len(sent); promised == 0 && whole.status != http.StatusNoContent {
		sent, promised = []byte("{"), 1
	}
	if whole.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(promised))
	}
	w.WriteHeader(whole.status)
	_, _ = w.Write(sent) // the client is gone when this fails
	if h.Is(DropDuring) {
		_ = http.NewResponseController(w).Flush() // the same
		panic(http.ErrAbortHandler)
	}
}

// page is what a gateway on the way says, to people.
func (h *Hit) page(w http.ResponseWriter) {
	head := w.Header()
	clear(head)
	if h.Rule.RetryAfter > 0 {
		head.Set("Retry-After", strconv.Itoa(h.Rule.RetryAfter))
	}
	head.Set("Content-Type", "text/html")
	head.Set("Server", "Microsoft-Azure-Application-Gateway/v2")
	w.WriteHeader(h.Rule.Status)
	title := fmt.Sprintf("%d %s", h.Rule.Status, http.StatusText(h.Rule.Status))
	fmt.Fprintf(w, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n</body>\r\n</html>\r\n", title, title)
}

// buffer holds an answer back.
type buffer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (b *buffer) WriteHeader(status int)      { b.status = status }
func (b *buffer) Write(p []byte) (int, error) { return b.body.Write(p) }
