import { label } from '../label.js';
import { useRouter } from '../router.js';

export default function Home() {
  return <p id="says">{label('home one')} at {useRouter().path}</p>;
}
