using System;
using System.IO;
using System.Security.Cryptography;
using System.Text;

/// <summary>
/// Reads the ASP.NET ticket that Écluse makes with <c>compatibility: Framework45</c>, where FormsAuthentication.Decrypt of the
/// .NET Framework is not there to do it: in Mono, or in .NET since Core.
/// </summary>
/// <remarks>
/// Source: System.Web's NetFXCryptoService, SP800_108 and FormsAuthenticationTicketSerializer. A ticket that is of another
/// key, changed, past its end, or of another layout is refused with CryptographicException.
/// </remarks>
public sealed class EcluseFormsTicket
{
    public readonly string Name;
    public readonly string UserData;
    public readonly string Path;
    public readonly DateTime Issued;
    public readonly DateTime Expires;

    private EcluseFormsTicket(BinaryReader ticket)
    {
        Expect(ticket, 1);
        ticket.ReadByte();
        Issued = new DateTime(ticket.ReadInt64(), DateTimeKind.Utc);
        Expect(ticket, 0xFE);
        Expires = new DateTime(ticket.ReadInt64(), DateTimeKind.Utc);
        ticket.ReadBoolean();
        Name = Text(ticket);
        UserData = Text(ticket);
        Path = Text(ticket);
        Expect(ticket, 0xFF);
        if (ticket.BaseStream.Position != ticket.BaseStream.Length)
        {
            throw new CryptographicException("more than a ticket");
        }
    }

    /// <param name="cookie">Hexadecimal digits, as the cookie has them.</param>
    /// <param name="validation">As machineKey has it: SHA1, HMACSHA256, HMACSHA384 or HMACSHA512.</param>
    /// <param name="now">In UTC.</param>
    public static EcluseFormsTicket Read(
        string cookie, string validation, string validationKey, string decryptionKey, DateTime now)
    {
        byte[] all = Bytes(cookie);
        using (HMAC mac = Mac(validation, Derived(Bytes(validationKey))))
        {
            int signed = all.Length - mac.HashSize / 8;
            if (signed < 32 || !Same(mac.ComputeHash(all, 0, signed), all, signed))
            {
                throw new CryptographicException("another key signed it, or nobody");
            }
            EcluseFormsTicket ticket = Opened(all, signed, Derived(Bytes(decryptionKey)));
            if (ticket.Expires <= now)
            {
                throw new CryptographicException("past its end");
            }
            return ticket;
        }
    }

    private static HMAC Mac(string validation, byte[] key)
    {
        switch (validation)
        {
            case "SHA1": return new HMACSHA1(key);
            case "HMACSHA256": return new HMACSHA256(key);
            case "HMACSHA384": return new HMACSHA384(key);
            case "HMACSHA512": return new HMACSHA512(key);
            default: throw new ArgumentException("no such validation: " + validation);
        }
    }

    private static EcluseFormsTicket Opened(byte[] all, int signed, byte[] key)
    {
        byte[] vector = new byte[16];
        Array.Copy(all, vector, 16);
        using (Aes aes = Aes.Create())
        using (ICryptoTransform decryptor = aes.CreateDecryptor(key, vector))
        {
            byte[] plain = decryptor.TransformFinalBlock(all, 16, signed - 16);
            try
            {
                return new EcluseFormsTicket(new BinaryReader(new MemoryStream(plain)));
            }
            catch (Exception why)
            {
                if (why is CryptographicException)
                {
                    throw;
                }
                throw new CryptographicException("not a ticket");
            }
        }
    }

    /// <summary>NIST SP800-108, 5.1, in counter mode with HMAC-SHA-512: the purpose is the label, the context is empty.</summary>
    private static byte[] Derived(byte[] key)
    {
        byte[] derived = new byte[key.Length];
        using (HMACSHA512 mac = new HMACSHA512(key))
        {
            for (int done = 0, number = 1; done < derived.Length; done += 64, number++)
            {
                MemoryStream told = new MemoryStream();
                Write(told, BigEndian(number), Encoding.ASCII.GetBytes("FormsAuthentication.Ticket"), new byte[1],
                    BigEndian(8 * key.Length));
                byte[] block = mac.ComputeHash(told.ToArray());
                Array.Copy(block, 0, derived, done, Math.Min(64, derived.Length - done));
            }
        }
        return derived;
    }

    private static void Write(Stream to, params byte[][] parts)
    {
        foreach (byte[] part in parts)
        {
            to.Write(part, 0, part.Length);
        }
    }

    private static byte[] BigEndian(int number)
    {
        return new[] { (byte)(number >> 24), (byte)(number >> 16), (byte)(number >> 8), (byte)number };
    }

    /// <summary>Takes as long wherever they differ.</summary>
    private static bool Same(byte[] one, byte[] other, int start)
    {
        int differs = 0;
        for (int at = 0; at < one.Length; at++)
        {
            differs |= one[at] ^ other[start + at];
        }
        return differs == 0;
    }

    private static byte[] Bytes(string digits)
    {
        if (digits.Length % 2 != 0)
        {
            throw new CryptographicException("not hexadecimal digits");
        }
        byte[] found = new byte[digits.Length / 2];
        for (int at = 0; at < found.Length; at++)
        {
            int high = Digit(digits[2 * at]), low = Digit(digits[2 * at + 1]);
            found[at] = (byte)(16 * high + low);
        }
        return found;
    }

    private static int Digit(char one)
    {
        int found = "0123456789ABCDEF".IndexOf(Char.ToUpperInvariant(one));
        if (found < 0)
        {
            throw new CryptographicException("not hexadecimal digits");
        }
        return found;
    }

    /// <summary>UTF-16 behind the number of its units, in sevens of bits.</summary>
    private static string Text(BinaryReader ticket)
    {
        int units = 0, shift = 0;
        byte part;
        do
        {
            part = ticket.ReadByte();
            units |= (part & 0x7F) << shift;
            shift += 7;
        }
        while ((part & 0x80) != 0 && shift < 28);
        byte[] text = ticket.ReadBytes(2 * units);
        if (text.Length != 2 * units)
        {
            throw new CryptographicException("not a ticket");
        }
        return Encoding.Unicode.GetString(text);
    }

    private static void Expect(BinaryReader ticket, byte wanted)
    {
        if (ticket.ReadByte() != wanted)
        {
            throw new CryptographicException("not a ticket");
        }
    }
}
