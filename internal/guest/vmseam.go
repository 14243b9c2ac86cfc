package guest

import (
	"context"
	"errors"
	"io"

	"mngr/internal/ctl"
	"mngr/internal/guest/control"
)

var errNoVM = errors.New("this mngrd was built without the virtual machine's part")

func vmMain(context.Context) error { return errNoVM }

func vmHandle(context.Context, ctl.Request, io.Writer) ctl.Answer {
	return control.Failure(&ctl.Error{Code: ctl.CodeUnsupported, Message: errNoVM.Error()})
}
