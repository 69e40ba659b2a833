package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"
)

// DirectoryBlobs is a [Blobs] that keeps each blob in one file of a directory, which it must have for itself: other
// processes, and another DirectoryBlobs, may read what is there and nothing more. What it has reported as done outlasts
// a crash. It never leaves its directory, whatever is asked of it.
type DirectoryBlobs struct {
	root *os.Root
	mu   sync.Mutex // held while a name is taken
}

var _ Blobs = (*DirectoryBlobs)(nil)

// Names of files: one of a finished blob begins with blobName and one that is being written with unfinishedName. So
// no id makes a name that an operating system has a meaning for, such as ".." or "CON".
const (
	blobName       = "blob-"
	unfinishedName = "unfinished-"
)

// maxFileName is how long a name may be, in bytes, wherever files are kept.
const maxFileName = 255

// NewDirectoryBlobs returns the blobs of a directory, which it makes if it is not there, for the user of the process
// alone. What a crash has left unfinished is removed. The caller ends it with Close.
func NewDirectoryBlobs(dir string) (*DirectoryBlobs, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("server: blobs: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("server: blobs: %w", err)
	}
	d := &DirectoryBlobs{root: root}
	if err := d.tidy(); err != nil {
		return nil, errors.Join(fmt.Errorf("server: blobs: %w", err), root.Close())
	}
	return d, nil
}

// tidy removes what was being written when an earlier process ended.
func (d *DirectoryBlobs) tidy() error {
	dir, err := d.root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	for {
		names, err := dir.Readdirnames(1024)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, name := range names {
			if strings.HasPrefix(name, unfinishedName) {
				if err := d.root.Remove(name); err != nil {
					return err
				}
			}
		}
	}
}

// Close ends the use of the directory: later calls fail. Readers that are open go on.
func (d *DirectoryBlobs) Close() error { return d.root.Close() }

// Put keeps everything that content has under an id; see [Blobs]. An id whose file would have a name of more than 255
// bytes is an error: that is one of 250 letters, or of 83 characters that do not belong into names of files.
func (d *DirectoryBlobs) Put(ctx context.Context, id string, content io.Reader) (size int64, err error) {
	name, err := nameOf(id)
	if err != nil {
		return 0, err
	}
	if err := d.vacant(name); err != nil {
		return 0, err // before anything is read
	}
	unfinished := unfinishedName + randomHex(16)
	defer d.root.Remove(unfinished) // which is there no more if all went well
	if size, err = d.write(ctx, unfinished, content); err != nil {
		return 0, err
	}
	return size, d.finish(unfinished, name)
}

// write makes a file and returns when all of it is on the disk.
func (d *DirectoryBlobs) write(ctx context.Context, name string, content io.Reader) (size int64, err error) {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err = io.Copy(f, contextReader{ctx, content})
	if err != nil {
		return 0, err
	}
	return size, f.Sync()
}

// finish gives a file the name by which it is found, unless that was taken meanwhile.
func (d *DirectoryBlobs) finish(unfinished, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.vacant(name); err != nil {
		return err
	}
	if err := d.root.Rename(unfinished, name); err != nil {
		return err
	}
	if err := d.syncNames(); err != nil {
		return errors.Join(err, d.root.Remove(name))
	}
	return nil
}

// vacant returns ErrExists if there is a file of that name.
func (d *DirectoryBlobs) vacant(name string) error {
	switch _, err := d.root.Lstat(name); {
	case err == nil:
		return ErrExists
	case errors.Is(err, fs.ErrNotExist):
		return nil
	default:
		return err
	}
}

// syncNames has the names of files outlast a crash. Windows does that by itself, and has no such call.
func (d *DirectoryBlobs) syncNames() error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Open returns a reader of a blob, or [ErrNotFound].
func (d *DirectoryBlobs) Open(_ context.Context, id string) (io.ReadCloser, error) {
	name, err := nameOf(id)
	if err != nil {
		return nil, ErrNotFound // it cannot have been put there
	}
	f, err := d.root.Open(name)
	if err != nil {
		return nil, notFound(err)
	}
	return f, nil
}

// Delete removes a blob, or returns [ErrNotFound].
func (d *DirectoryBlobs) Delete(_ context.Context, id string) error {
	name, err := nameOf(id)
	if err != nil {
		return ErrNotFound
	}
	if err := d.root.Remove(name); err != nil {
		return notFound(err)
	}
	return d.syncNames()
}

func notFound(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return err
}

// nameOf returns the name of the file for an id. Small letters, digits, "_" and "-" stand for themselves, and every
// other byte is written in hexadecimal: capital letters too, for to some file systems they are the same as small
// ones.
func nameOf(id string) (string, error) {
	const hex = "0123456789abcdef"
	if len(id) > maxFileName {
		return "", errLongBlobID(len(id))
	}
	name := []byte(blobName)
	for _, c := range []byte(id) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' {
			name = append(name, c)
		} else {
			name = append(name, '%', hex[c>>4], hex[c&15])
		}
	}
	if len(name) > maxFileName {
		return "", errLongBlobID(len(id))
	}
	return string(name), nil
}

func errLongBlobID(length int) error {
	return fmt.Errorf("server: blobs: an id of %d bytes is too long for the name of a file", length)
}
