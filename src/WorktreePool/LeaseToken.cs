using System.Security.Cryptography;
using System.Text;

namespace WorktreePool;

/// <summary>
/// The secret that proves a lease: <c>slot.epoch.secret</c>. Stores keep only its <see cref="Hash"/>, and
/// <see cref="ToString"/> hides the secret so that no log shows it.
/// </summary>
public sealed record LeaseToken
{
    private LeaseToken(string slot, long epoch, string value) => (Slot, Epoch, Value) = (slot, epoch, value);

    /// <summary>The slot it was given for.</summary>
    public string Slot { get; }

    /// <summary>The epoch it was given in; an older epoch is refused everywhere.</summary>
    public long Epoch { get; }

    /// <summary>The whole token in clear, to hand to the holder and to nobody else.</summary>
    public string Value { get; }

    /// <summary>SHA-256 of the token, in lowercase hexadecimal: what a store keeps.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Value)));

    /// <summary>A new token with 128 random bits.</summary>
    /// <param name="slot">The slot's name.</param>
    /// <param name="epoch">The slot's epoch.</param>
    public static LeaseToken Create(string slot, long epoch)
    {
        ArgumentException.ThrowIfNullOrEmpty(slot);
        return new LeaseToken(slot, epoch, $"{slot}.{epoch}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}");
    }

    /// <summary>Reads a token that <see cref="Create"/> made.</summary>
    /// <param name="value">The text.</param>
    /// <param name="token">The token, when it has the right form; its secret is not checked here.</param>
    public static bool TryParse(string? value, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out LeaseToken? token)
    {
        token = null;
        string[] parts = (value ?? "").Split('.');
        if (parts.Length != 3 || parts[0].Length == 0 || parts[2].Length != 32 || !long.TryParse(parts[1], System.Globalization.NumberStyles.None, null, out long epoch))
        {
            return false;
        }

        token = new LeaseToken(parts[0], epoch, value!);
        return true;
    }

    /// <summary>The slot and epoch, without the secret.</summary>
    public override string ToString() => $"{Slot}.{Epoch}.***";
}
