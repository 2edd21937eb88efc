package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const lockName = "lock"

// errRunning is returned when a demo runs already.
var errRunning = errors.New("a demo is running: end it with `make demo-clean`")

// takeLock takes the lock of the folder, which a demo holds for as long as any
// process of it is there.
func takeLock(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errRunning
		}
		return nil, fmt.Errorf("locking %s: %w", f.Name(), err)
	}
	return f, nil
}

// empty removes what an earlier demo left in the folder.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == lockName {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// down ends a demo that was kept and removes its folder.
func down(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		fmt.Fprintln(os.Stderr, "there is no demo")
		return nil
	}
	lock, err := takeLock(dir)
	if errors.Is(err, errRunning) {
		lock, err = kill(dir)
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	return os.RemoveAll(dir)
}

// The files with the process that ends all others with it: the namespace's
// first, which is killed, and the controller, which ends nginx in order.
const (
	pidName   = "pid"
	serveName = "serve.pid"
)

// kill ends a demo by its first process and waits until all have ended. The
// lock is held, so the process that the file names is still that one.
func kill(dir string) (*os.File, error) {
	signal := syscall.SIGKILL
	text, err := os.ReadFile(filepath.Join(dir, pidName))
	if errors.Is(err, os.ErrNotExist) {
		signal = syscall.SIGTERM
		text, err = os.ReadFile(filepath.Join(dir, serveName))
	}
	if err != nil {
		return nil, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, err
	}
	if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return nil, err
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		lock, err := takeLock(dir)
		if !errors.Is(err, errRunning) || time.Now().After(deadline) {
			return lock, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}
