package fault

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
)

// Plain is a request of a service without operations: Entra or IMDS.
type Plain struct {
	Entry  activity.Entry                        // begun; Guard completes it
	Record func(activity.Entry)                  // gets the entry before the answer is sent
	Refuse func(http.ResponseWriter, *arm.Error) // writes a refusal in the service's own form
	Next   http.HandlerFunc                      // serves the request
	Act    func(*Hit)                            // does to a machine what a fault says; nil: there is none
}

// Guard serves a request in the way that the fault it meets allows.
func (b *Book) Guard(w http.ResponseWriter, r *http.Request, c Call, p Plain) {
	hit := b.Take(c)
	p.Entry.Fault = hit.ID()
	noted := &noting{ResponseWriter: w, plain: &p}
	switch {
	case hit.Is(Refuse):
		hit.Deliver(noted, func(w http.ResponseWriter) { p.refuse(w, hit) })
		return
	case hit.Is(DropBefore):
		p.cut()
	case hit.Is(DropAfter):
		p.Next(discard{http.Header{}}, r)
		p.cut()
	case hit.Is(NeverFinish):
		<-r.Context().Done()
		p.cut()
	}
	if hit.Pause(r.Context()) != nil || hit.Hold(r.Context(), HoldBefore) != nil {
		p.cut()
	}
	if hit.Is(HoldAfter) {
		p.withhold(noted, r, hit)
		return
	}
	hit.Deliver(noted, func(w http.ResponseWriter) { p.Next(w, r) })
	if hit.Acts() && p.Act != nil {
		p.Act(hit)
	}
}

func (p *Plain) refuse(w http.ResponseWriter, hit *Hit) {
	e := hit.Refusal()
	if hit.Rule.Code == "" {
		e.Code, e.Message = plainCode(e.Status), hit.Rule.Message
	}
	if e.Message == "" {
		e.Message = http.StatusText(e.Status)
	}
	if hit.Rule.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(hit.Rule.RetryAfter))
	}
	p.Entry.Code = e.Code
	p.Refuse(w, e)
}

// withhold serves a request and keeps the answer until the fault is removed.
func (p *Plain) withhold(w http.ResponseWriter, r *http.Request, hit *Hit) {
	whole := &buffer{ResponseWriter: w, status: http.StatusOK}
	p.Next(whole, r)
	if hit.Hold(r.Context(), HoldAfter) != nil {
		p.cut()
	}
	w.WriteHeader(whole.status)
	_, _ = w.Write(whole.body.Bytes()) // the client is gone when this fails
}

// cut ends the connection without an answer.
func (p *Plain) cut() {
	p.Entry.Code = "ConnectionCut"
	p.note(0)
	panic(http.ErrAbortHandler)
}

func (p *Plain) note(status int) {
	p.Entry.Status = status
	p.Entry.Millis = float64(time.Since(p.Entry.Time).Microseconds()) / 1000
	if p.Record != nil {
		p.Record(p.Entry)
	}
}

// plainCode is how OAuth names what a status says.
func plainCode(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return "invalid_client"
	case status == http.StatusTooManyRequests:
		return "too_many_requests"
	case status < http.StatusInternalServerError:
		return "invalid_request"
	case status == http.StatusInternalServerError:
		return "unknown"
	}
	return strings.ToLower(strings.ReplaceAll(http.StatusText(status), " ", "_"))
}

// noting completes the log's entry when the answer begins.
type noting struct {
	http.ResponseWriter
	plain *Plain
	begun bool
}

func (n *noting) WriteHeader(status int) {
	if !n.begun {
		n.begun = true
		n.plain.note(status)
	}
	n.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (n *noting) Unwrap() http.ResponseWriter { return n.ResponseWriter }

func (n *noting) Write(p []byte) (int, error) {
	if !n.begun {
		n.WriteHeader(http.StatusOK)
	}
	return n.ResponseWriter.Write(p)
}

// discard takes an answer that nobody gets.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
