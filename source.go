package assistants

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/assistants-go/assistants/internal/transport"
)

// A source is a file to be uploaded, wherever it comes from.
type source struct {
	name  string // without a path
	size  int64  // -1: not known before it has been read
	open  func() (io.ReadCloser, error)
	spent func() bool   // nil: it can be opened as often as one likes
	parts sectionOpener // nil: it cannot be read in parts at once
}

// maxFileSize is what no file has; it leaves room for the rest of a form.
const maxFileSize = 1 << 60

// A sectionOpener opens a part of a file.
type sectionOpener func(offset, size int64) (io.ReadCloser, error)

// newSource is the file at a path, or what a reader gives, under a name: its own if name is "".
func newSource(r io.Reader, path, name string, size int64) (*source, error) {
	var s *source
	var err error
	switch {
	case size < 0 || size > maxFileSize:
		return nil, fmt.Errorf("the Size %d is none", size)
	case r != nil && path != "":
		return nil, errors.New("File and Path are given at once")
	case r != nil:
		s, err = readerSource(r, size)
	case path != "":
		s, err = pathSource(path, size)
	default:
		return nil, errors.New("there is no file: neither File nor Path is given")
	}
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = s.name
	}
	s.name, err = fileName(name)
	return s, err
}

// pathSource reads a file anew for every attempt, as far as it reached at first.
func pathSource(path string, size int64) (*source, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	s := &source{name: path, size: info.Size()}
	if s.size == 0 { // or that of a file which the system makes up when it is read
		s.size = cmp.Or(size, -1)
		s.open = func() (io.ReadCloser, error) {
			f, err := os.Open(path)
			if err != nil || s.size < 0 {
				return f, err
			}
			return readCloser{&exactReader{r: f, size: s.size}, f}, nil
		}
		return s, nil
	}
	if err := checkSize(size, s.size); err != nil {
		return nil, err
	}
	s.parts = func(offset, size int64) (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		return readCloser{&exactReader{r: io.NewSectionReader(f, offset, size), size: size}, f}, nil
	}
	s.open = func() (io.ReadCloser, error) { return s.parts(0, s.size) }
	return s, nil
}

// readerSource finds out what a reader can do: be read in parts, be rewound, or neither.
func readerSource(r io.Reader, size int64) (*source, error) {
	s := &source{size: -1}
	seeker, ok := r.(io.ReadSeeker)
	if f, isFile := r.(*os.File); isFile {
		sized, err := checkFile(f)
		if err != nil {
			return nil, err
		}
		s.name, ok = f.Name(), sized
	}
	start, end, err := extent(seeker, ok)
	if err != nil {
		return nil, err
	}
	if end >= 0 {
		s.size = max(end-start, 0)
		if err := checkSize(size, s.size); err != nil {
			return nil, err
		}
	} else if size > 0 {
		s.size = size
	}
	at, isReaderAt := r.(io.ReaderAt)
	switch {
	case end >= 0 && isReaderAt:
		s.parts = func(offset, size int64) (io.ReadCloser, error) {
			return io.NopCloser(&exactReader{r: io.NewSectionReader(at, start+offset, size), size: size}), nil
		}
		s.open = func() (io.ReadCloser, error) { return s.parts(0, s.size) }
	case end >= 0:
		rewinding := &rewinder{reading: make(chan struct{}, 1), r: seeker, start: start}
		s.open = rewinding.open
	default:
		if buffer, ok := r.(*bytes.Buffer); ok && size <= 0 {
			s.size = int64(buffer.Len())
		}
		once := &rememberer{r: r}
		s.open, s.spent = once.open, once.spent
	}
	if open := s.open; s.parts == nil && s.size >= 0 {
		s.open = func() (io.ReadCloser, error) {
			content, err := open()
			if err != nil {
				return nil, err
			}
			return readCloser{&exactReader{r: content, size: s.size}, content}, nil
		}
	}
	return s, nil
}

// checkFile says what is wrong with an open file, before its size is asked for: a directory would tell one.
// It reports whether the file's size can be believed: a device has none, and neither have files that the system makes up
// when they are read.
func checkFile(f *os.File) (sized bool, err error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return false, err
	case info.IsDir():
		return false, fmt.Errorf("%s is a directory", f.Name())
	}
	return info.Mode().IsRegular() && info.Size() > 0, nil
}

// extent is from where to where a reader can be read; end is -1 if it cannot tell. It is an error only if the reader
// does not stand any more where it stood.
func extent(r io.Seeker, ok bool) (start, end int64, err error) {
	if !ok {
		return 0, -1, nil
	}
	start, err = r.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, -1, nil // a pipe, such as standard input
	}
	end, err = r.Seek(0, io.SeekEnd)
	if err != nil {
		end = -1
	}
	_, err = r.Seek(start, io.SeekStart)
	return start, end, err
}

func checkSize(said, is int64) error {
	if said > 0 && said != is {
		return fmt.Errorf("the file has %d bytes, and Size says %d", is, said)
	}
	return nil
}

// fileName is the last element of a path, whichever system it is of, without the characters that would break a header.
func fileName(path string) (string, error) {
	name := path[strings.LastIndexAny(path, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
	if name = strings.TrimSpace(name); name == "" || name == "." || name == ".." {
		return "", errors.New("the file has no name: Filename is empty")
	}
	return name, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// An exactReader holds a reader to its announced size.
type exactReader struct {
	r    io.Reader
	size int64
	read int64
}

func (e *exactReader) Read(p []byte) (int, error) {
	left := e.size - e.read
	if left == 0 {
		return 0, e.atEnd()
	}
	n, err := e.r.Read(p[:min(int64(len(p)), left)])
	if e.read += int64(n); err == io.EOF && e.read < e.size {
		return n, fmt.Errorf("the file ends after %d of its %d bytes: %w", e.read, e.size, io.ErrUnexpectedEOF)
	}
	return n, err
}

// atEnd looks whether there is more behind the end.
func (e *exactReader) atEnd() error {
	var more [1]byte
	for range 100 { // a reader that gives neither bytes nor errors is broken
		n, err := e.r.Read(more[:])
		switch {
		case n > 0:
			return fmt.Errorf("the file has more than the %d bytes that it was to have", e.size)
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

// A rewinder reads from a reader that can be set back, for one attempt at a time: an attempt that is over has no part in
// what the next one reads.
type rewinder struct {
	reading chan struct{} // full while reading; it guards the rest
	r       io.ReadSeeker
	start   int64
	attempt int
}

// maxLastRead is how long the last Read of an attempt that is over is waited for.
const maxLastRead = time.Second

func (w *rewinder) open() (io.ReadCloser, error) {
	select {
	case w.reading <- struct{}{}:
	case <-time.After(maxLastRead): // it blocks, who knows for how long
		return nil, transport.ErrSpent
	}
	defer func() { <-w.reading }()
	if _, err := w.r.Seek(w.start, io.SeekStart); err != nil {
		return nil, err
	}
	w.attempt++
	return io.NopCloser(&rewound{w, w.attempt}), nil
}

type rewound struct {
	of      *rewinder
	attempt int
}

func (r *rewound) Read(p []byte) (int, error) {
	r.of.reading <- struct{}{}
	defer func() { <-r.of.reading }()
	if r.attempt != r.of.attempt {
		return 0, os.ErrClosed
	}
	return r.of.r.Read(p)
}

// maxRemembered is how much of a reader that cannot be set back is remembered.
const maxRemembered = 64 << 10

// A rememberer reads from a reader that can be read once, and remembers the beginning: as long as it has read no more than
// that it can begin again.
type rememberer struct {
	mu        sync.Mutex // held while reading
	r         io.Reader
	beginning []byte
	beyond    bool // more was read than is remembered
	ended     bool // all of it was read
	attempt   int
}

func (o *rememberer) open() (io.ReadCloser, error) {
	if !o.mu.TryLock() {
		return nil, transport.ErrSpent
	}
	defer o.mu.Unlock()
	if o.beyond {
		return nil, transport.ErrSpent
	}
	o.attempt++
	return io.NopCloser(&remembered{of: o, attempt: o.attempt}), nil
}

func (o *rememberer) spent() bool {
	if !o.mu.TryLock() {
		return true
	}
	defer o.mu.Unlock()
	return o.beyond
}

type remembered struct {
	of      *rememberer
	attempt int
	read    int // of the beginning
}

func (r *remembered) Read(p []byte) (int, error) {
	o := r.of
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.attempt != o.attempt {
		return 0, os.ErrClosed
	}
	if r.read < len(o.beginning) {
		n := copy(p, o.beginning[r.read:])
		r.read += n
		return n, nil
	}
	if o.ended { // some readers have an error of another kind behind their end
		return 0, io.EOF
	}
	n, err := o.r.Read(p)
	o.ended = err == io.EOF
	if !o.beyond && len(o.beginning)+n <= maxRemembered {
		o.beginning = append(o.beginning, p[:n]...)
		r.read += n
	} else if n > 0 {
		o.beyond, o.beginning = true, nil
	}
	return n, err
}
