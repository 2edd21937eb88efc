package nginx

import (
	"fmt"

	"github.com/prometheus/procfs"
)

// ProcessStats is what nginx's processes use together: the master, its workers
// and those that drain.
type ProcessStats struct {
	Count int
	// CPUSeconds, ReadBytes and WriteBytes have in them what ended workers
	// used, so they only grow while the same master runs.
	CPUSeconds            float64
	ReadBytes, WriteBytes uint64
	// ResidentBytes counts pages that processes share once for each.
	ResidentBytes, VirtualBytes uint64
	// OldestStart is in seconds since 1970.
	OldestStart float64
}

// userHZ is the unit of times in /proc: a constant of Linux's interface.
const userHZ = 100

// ProcessStats reads /proc. The error says why there is no master.
func (n *Nginx) ProcessStats() (ProcessStats, error) {
	master, err := findMaster(n.o.PIDFile)
	if err != nil {
		return ProcessStats{}, err
	}
	all, err := crew(master)
	if err != nil {
		return ProcessStats{}, err
	}
	var s ProcessStats
	if err := s.add(master); err != nil {
		return ProcessStats{}, fmt.Errorf("nginx's master %d ended while it was looked at: %w", master.pid, err)
	}
	for p := range all {
		_ = s.add(p) // it has ended, and counts with the master from now on
	}
	return s, nil
}

// add adds a process. Of children that it has waited for, the kernel counts
// time and input and output with it.
func (s *ProcessStats) add(p process) error {
	_, stat, err := look(p.pid)
	if err != nil {
		return err
	}
	started, err := stat.StartTime()
	if err != nil {
		return err
	}
	s.Count++
	s.CPUSeconds += stat.CPUTime() + float64(stat.CUTime+stat.CSTime)/userHZ
	s.ResidentBytes += uint64(stat.ResidentMemory())
	s.VirtualBytes += uint64(stat.VirtualMemory())
	if s.OldestStart == 0 || started < s.OldestStart {
		s.OldestStart = started
	}
	// Another user's input and output is not ours to see, nor is that of a
	// kernel that does not count it.
	if proc, err := procfs.NewProc(p.pid); err == nil {
		if io, err := proc.IO(); err == nil {
			s.ReadBytes += io.ReadBytes
			s.WriteBytes += io.WriteBytes
		}
	}
	return nil
}
