namespace WorktreePool.Cli.Readiness;

/// <summary>The file system on which the slots would be.</summary>
internal static class PlaceChecks
{
    /// <summary>What jobs write, and a second copy while a slot is made anew, must fit besides.</summary>
    private const double Headroom = 1.5;

    /// <summary>Where locks may not be seen by all, or do not die with their process.</summary>
    private static readonly string[] Networked = ["nfs", "nfs4", "cifs", "smb2", "smb3", "9p", "sshfs", "fuse", "fuseblk", "afs", "ceph", "glusterfs", "lustre"];

    /// <summary>Where names that differ only in case, links or modes cannot be kept.</summary>
    private static readonly string[] Poor = ["vfat", "msdos", "exfat", "ntfs", "ntfs3", "hfs"];

    public static IEnumerable<Check> For(string place, int slots, TreeSize? size)
    {
        string existing = place;
        while (!Directory.Exists(existing))
        {
            existing = Path.GetDirectoryName(existing)!;
        }

        var drive = new DriveInfo(existing);
        string type = drive.DriveFormat;
        yield return Poor.Contains(type) ? new Check("file-system", Verdict.Fails, $"{existing} is on {type}", "It keeps no file modes or links: put the slots elsewhere with --slots-dir.")
            : Networked.Contains(type) || drive.DriveType == DriveType.Network ? new Check("file-system", Verdict.Warns, $"{existing} is on {type}, over a network", "Every process of the pool must be on one host, and locks must work there: init proves it. A local disk is faster and safer.")
            : type is "tmpfs" or "ramfs" ? new Check("file-system", Verdict.Warns, $"{existing} is on {type}", "Slots and state are gone after a restart, and fill the memory.")
            : new Check("file-system", Verdict.Ready, $"{existing} is on {type}");
        if (size is null)
        {
            yield break;
        }

        double bytes = size.Bytes * slots * Headroom;
        yield return Check.That(drive.AvailableFreeSpace >= bytes, "disk-space",
            $"{slots} slots need {Amount.Bytes(size.Bytes * (double)slots)}, with room to work in {Amount.Bytes(bytes)}; {Amount.Bytes(drive.AvailableFreeSpace)} are free",
            Verdict.Fails, "Free some, take fewer slots, or put them elsewhere with --slots-dir.");
        if (FileSystemFacts.FreeInodes(existing) is { } free)
        {
            double inodes = (size.Files + size.Directories) * slots * Headroom;
            yield return Check.That(free >= inodes, "inodes", $"{slots} slots need {inodes:0} with room to work in; {free} are free", Verdict.Fails, "Delete small files, or use a file system with more inodes.");
        }
    }
}
