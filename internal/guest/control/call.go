package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"

	"mngr/internal/ctl"
)

// Call sends req to the socket, copies phases to progress, and returns the answer.
func Call(ctx context.Context, socket string, req ctl.Request, progress io.Writer) (ctl.Answer, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return ctl.Answer{}, fmt.Errorf("reach mngrd's init: %w", err)
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	if err := json.NewEncoder(c).Encode(req); err != nil {
		return ctl.Answer{}, fmt.Errorf("send the request: %w", err)
	}
	in := json.NewDecoder(c)
	for {
		var f frame
		if err := in.Decode(&f); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return ctl.Answer{}, fmt.Errorf("wait for the answer: %w", err)
		}
		if f.Answer != nil {
			return *f.Answer, nil
		}
		fmt.Fprintln(progress, f.Progress)
	}
}
