using System.Text;
using System.Text.Json;
using CsCheck;

namespace WorktreePool.FileState.Tests;

/// <summary>A state file says what one version says, or that it is damaged: whatever a power loss has mixed of two of them.</summary>
public sealed class StateDocumentTests
{
    private const int Sector = 512;

    private static readonly Gen<SlotRecord> Records =
        from length in Gen.Int[1, 3000]
        from fill in Gen.Char["ab,:\"{}\n "]
        from version in Gen.Long[1, 12]
        from isLeased in Gen.Bool
        select new SlotRecord
        {
            Slot = "slot-0",
            Host = "h",
            Path = "/p",
            Version = version,
            Epoch = version,
            Lease = isLeased ? new LeaseRecord { Key = "k", TokenHash = "", Owner = LeaseOwner.ForDuration(TimeSpan.FromHours(1)), Metadata = new Dictionary<string, string> { ["m"] = new(fill, length) } } : null,
        };

    [Fact]
    public void What_is_written_is_read() => Records.Sample(record => Read(StateFiles.Write(record)) == Text(record));

    [Fact]
    public void Sectors_of_two_versions_are_one_of_them_or_damaged() =>
        Gen.Select(Records, Records, Gen.Int[0, 15]).Sample((old, next, taken) =>
        {
            byte[] mixed = Blanked(StateFiles.Write(old), StateFiles.Write(next), out byte[] written);
            for (int sector = 0; sector * Sector < mixed.Length; sector++)
            {
                if (((taken >> (sector % 4)) & 1) == 1)
                {
                    written.AsSpan(sector * Sector, Sector).CopyTo(mixed.AsSpan(sector * Sector));
                }
            }

            return Read(mixed) is var read && (read is null || read == Text(old) || read == Text(next));
        });

    [Fact]
    public void A_file_that_is_cut_anywhere_is_one_version_or_damaged() =>
        Gen.Select(Records, Records).Sample(
            (old, next) =>
            {
                byte[] before = Blanked(StateFiles.Write(old), StateFiles.Write(next), out byte[] written);
                return Enumerable.Range(0, written.Length).All(cut => Read([.. written[..cut], .. before[cut..]]) is var read && (read is null || read == Text(old) || read == Text(next)));
            },
            iter: 5);

    [Theory]
    [InlineData("\"epoch\": 5", "\"epoch\": 6")]
    [InlineData("\n  \"", "\r\n  \"")]
    [InlineData("\"check\": \"", "\"check\": \"0")]
    [InlineData("  \"check\"", "  \"CHECK\"")]
    public void What_was_changed_counts_without_its_check_only(string what, string by)
    {
        string text = Encoding.UTF8.GetString(StateFiles.Write(new SlotRecord { Slot = "slot-0", Host = "h", Path = "/p", Version = 5, Epoch = 5 })).Replace(what, by, StringComparison.Ordinal);
        Read(Encoding.UTF8.GetBytes(text)).Should().BeNull();
        Read(Encoding.UTF8.GetBytes(text[..text.LastIndexOf(',')] + "}")).Should().NotBeNull();
    }

    /// <summary>One version as it lies on the disk, and the next one written over it; twice the next one where that is put into a file of its own.</summary>
    private static byte[] Blanked(byte[] old, byte[] next, out byte[] written)
    {
        string file = Path.GetTempFileName();
        try
        {
            ReadableFile.Write(file, next);
            ReadableFile.Write(file, old);
            byte[] before = File.ReadAllBytes(file);
            ReadableFile.Write(file, next);
            written = File.ReadAllBytes(file);
            return before.Length == written.Length ? before : written;
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>What the bytes of a file say; null when they are damaged.</summary>
    private static string? Read(byte[] bytes)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, bytes);
            return Text(StateDocument.Read(file, ReadableFile.TryRead(file)!, StateJson.Default.SlotRecord));
        }
        catch (JsonException)
        {
            return null;
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string Text(SlotRecord record) => JsonSerializer.Serialize(record, StateJson.Default.SlotRecord);
}
