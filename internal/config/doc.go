// Package config reads and edits settings.toml.
//
// Settings come in layers, each of which overrides single keys of the ones before it:
// defaults, the user's file, the project's file, the project's local file, environment
// variables MNGR__A__B, `-S a.b=value`, flags. Load merges them, remembers where each
// value came from, and refuses what cannot work with file, line and remedy before
// anything else happens. Set and Unset change one key of one file and leave every other
// byte of it alone, comments included.
//
// It knows neither Azure's API nor the command line; package cli hands its values on.
package config
