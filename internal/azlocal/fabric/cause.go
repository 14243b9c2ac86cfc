package fabric

// Cause is what an operation was begun by.
type Cause struct {
	Action      string `json:"action,omitempty"` // as the activity log names it; "" for steps inside the platform
	Correlation string `json:"correlation,omitempty"`
	Fault       string `json:"fault,omitempty"` // id of the fault that its request met
}

// Because says what the operations of this transaction are begun by.
func (t *Tx) Because(c Cause) { t.cause = c }

// Begun is the id of the first operation that this transaction began, "" without one.
func (t *Tx) Begun() string { return t.begun }
